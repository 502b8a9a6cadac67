"""Runs the cluster until Ctrl-C: ``python -m cluster``, which is ``make run-cluster``."""

from __future__ import annotations

import argparse
import signal
import socket
import sys
import time
from collections.abc import Callable

import httpx

from cluster import balancer, database
from cluster.balancer import Ports
from cluster.database import Missing
from cluster.processes import Ended, Processes
from wfx.demo import scenario

_DEADLINE = 60.0
_PAUSE = 10.0
"""Seconds until a server that has ended is started again, so that one can see that it is not missed."""
_TEXT = """\

{count} servers on one PostgreSQL are one service, behind HAProxy:
  northbound API (operators)  http://127.0.0.1:{ports.north}/api/wfx/v1
  southbound API (devices)    http://127.0.0.1:{ports.south}/api/wfx/v1
{servers}
  logs: {folder}/*.log

Try next: follow all events, in another terminal,
  export PATH="$PWD/.venv/bin:$PATH"{variables}
  wfxctl job events --auto-reconnect --since 0 --output line

and kill a server while you do so, in a third one; any of them, as often as you like:
  export PATH="$PWD/.venv/bin:$PATH"{variables}
  kill -9 {victim}
  echo '{{"version": "3.0"}}' | wfxctl job create --client-id my-device --workflow {workflow} -

The stream goes on at another server, and shows each event once. The balancer asks each server for /readyz, and sends it
nothing until it is ready again. A killed server is started again after {pause:g} s.

Stop with Ctrl-C: that ends all of it, and removes {folder}.
"""


class Cluster:
    """The servers and what is around them."""

    def __init__(self, processes: Processes, ports: Ports, count: int) -> None:
        """Start nothing yet."""
        self._processes = processes
        self._ports = Ports(*(port or _free_port() for port in ports))
        self._servers = {f"server-{number}": Ports(_free_port(), _free_port()) for number in range(1, count + 1)}
        self._options: list[str] = []
        self._due: dict[str, float] = {}
        """When servers that have ended are started again."""

    def start(self) -> None:
        """Start all of it. Raises Missing or Ended."""
        _check_free(self._ports)
        say("PostgreSQL starts …")
        option = database.start(self._processes)
        (self._processes.folder / "wfx.yml").touch()
        self._options = [
            "--config=wfx.yml", "--storage=postgres", f"--storage-opt={option}", "--client-host=127.0.0.1",
            "--trusted-proxy=127.0.0.1", "--log-format=json",
            f"--simple-fileserver={scenario.make_artifact(self._processes.folder)}",
        ]  # fmt: skip
        say(f"{len(self._servers)} servers start …")
        for name in self._servers:
            self._start_server(name)
        for name, ports in self._servers.items():
            self._await(name, ports.north)
        balancer.start(self._processes, self._ports, list(self._servers.values()))
        self._await(balancer.NAME, self._ports.north)

    def run_demo(self) -> None:
        """Have a simulated device take an update, through the balancer."""
        scenario.run_on(*(f"http://127.0.0.1:{port}" for port in self._ports))

    def describe(self) -> str:
        """Say where everything is, and what to try."""
        usual = {"WFX_MGMT_PORT": (self._ports.north, 8081), "WFX_CLIENT_PORT": (self._ports.south, 8080)}
        return _TEXT.format(
            count=len(self._servers),
            ports=self._ports,
            servers="\n".join(
                f"  {name}: process {self._processes.id_of(name)}, http://127.0.0.1:{ports.north}"
                for name, ports in self._servers.items()
            ),
            folder=self._processes.folder,
            variables="".join(f" {name}={port}" for name, (port, own) in usual.items() if port != own),
            victim=self._processes.id_of(next(iter(self._servers))),
            workflow=scenario.WORKFLOW,
            pause=_PAUSE,
        )

    def watch(self) -> None:
        """Start servers again that have ended, for ever. Raises Ended for what the cluster cannot do without."""
        while True:
            for name in (database.NAME, balancer.NAME):
                self._processes.check(name)
            for name in self._servers:
                self._look_at(name)
            time.sleep(0.1)

    def _look_at(self, name: str) -> None:
        if name in self._due:
            if time.monotonic() > self._due[name]:
                del self._due[name]
                self._start_server(name)
                say(f"{name} starts again: process {self._processes.id_of(name)}")
        elif self._processes.has_ended(name):
            self._due[name] = time.monotonic() + _PAUSE
            say(f"{name} has ended; the balancer sends requests to the others. It starts again in {_PAUSE:g} s.")

    def _start_server(self, name: str) -> None:
        north, south = self._servers[name]
        command = [sys.executable, "-P", "-m", "wfx", f"--mgmt-port={north}", f"--client-port={south}", *self._options]
        self._processes.start(name, command)

    def _await(self, name: str, north: int) -> None:
        """Wait until a northbound side is ready. Raises Ended."""
        deadline = time.monotonic() + _DEADLINE
        while not _is_ready(north):
            self._processes.check(name)
            if time.monotonic() > deadline:
                raise TimeoutError(f"{name} is not ready within {_DEADLINE:g} s; see {self._processes.log(name)}")
            time.sleep(0.1)


def _is_ready(north: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{north}/readyz", trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _check_free(ports: Ports) -> None:
    for side, port in ports._asdict().items():
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as exc:
                raise Ended(f"port {port} cannot be used ({exc.strerror}): choose another by --{side}-port") from exc


def say(line: str) -> None:
    """Print a line at once."""
    print(line, flush=True)  # noqa: T201  # its purpose


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:
        raise ValueError
    return port


def main() -> int:
    """Run until a signal; returns the exit code."""
    parser = argparse.ArgumentParser(prog="make run-cluster ARGS=", description=__doc__)
    parser.add_argument("--servers", type=int, choices=range(1, 10), default=3, help="how many (1 to 9; default 3)")
    parser.add_argument("--north-port", type=_port, default=8081, help="where operators come; 0 takes a free one")
    parser.add_argument("--south-port", type=_port, default=8080, help="where devices come; 0 takes a free one")
    parser.add_argument("--no-demo", action="store_true", help="do not run the demo at the start")
    arguments = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    with Processes() as processes:
        cluster = Cluster(processes, Ports(arguments.north_port, arguments.south_port), arguments.servers)
        return _attempted(lambda: _run(cluster, demo=not arguments.no_demo))


def _run(cluster: Cluster, *, demo: bool) -> None:
    cluster.start()
    if demo:
        cluster.run_demo()
    say(cluster.describe())
    cluster.watch()


def _attempted(run: Callable[[], None]) -> int:
    try:
        run()
    except KeyboardInterrupt:
        say("\nstopping …")
        return 0
    except (Missing, Ended, TimeoutError, OSError, httpx.HTTPError) as exc:
        print(f"Error: {exc}", file=sys.stderr)  # noqa: T201  # as above
        return 1
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
    return 0


if __name__ == "__main__":
    sys.exit(main())
