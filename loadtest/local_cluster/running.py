"""The cluster: starts its programs in order, says where everything is, and starts servers again."""

from __future__ import annotations

import socket
import sys
import time

import httpx

from local_cluster import balancer, database
from local_cluster.balancer import Ports
from local_cluster.processes import CannotRun, Processes, free_port
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
        self._ports = Ports(*(port or free_port() for port in ports))
        self._servers = {f"server-{number}": Ports(free_port(), free_port()) for number in range(1, count + 1)}
        self._options: list[str] = []
        self._due: dict[str, float] = {}
        """When servers that have ended are started again."""

    def start(self) -> None:
        """Start all of it. Raises CannotRun or TimeoutError."""
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
        """Start servers again that have ended, for ever. Raises CannotRun for what the cluster cannot do without."""
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
        """Wait until a northbound side is ready. Raises CannotRun or TimeoutError."""
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


def _check_free(ports: Ports) -> None:
    for side, port in ports._asdict().items():
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as exc:
                raise CannotRun(
                    f"port {port} cannot be used ({exc.strerror}): choose another by --{side}-port"
                ) from exc


def say(line: str) -> None:
    """Print a line at once."""
    print(line, flush=True)  # noqa: T201  # its purpose
