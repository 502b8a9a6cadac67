"""Runs the cluster until Ctrl-C: ``python -m local_cluster``, which is ``make run-cluster``."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable

import httpx

from local_cluster.balancer import Ports
from local_cluster.processes import CannotRun, Processes
from local_cluster.running import Cluster, say


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
    except (CannotRun, TimeoutError, OSError, httpx.HTTPError) as exc:
        print(f"Error: {exc}", file=sys.stderr)  # noqa: T201  # as above
        return 1
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
    return 0


if __name__ == "__main__":
    sys.exit(main())
