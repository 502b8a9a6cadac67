"""``POST /v1/events`` at 64 connections: events that match nothing, and events that are written.

``python -m bench.outside_events`` prints the figures alone, on SQLite and on PostgreSQL.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from bench import postgresql
from bench.servers import read, server_of
from bench.streams import Figure
from bench.wrk import Load
from wfx import spec_files
from wfx.demo.local import LocalService

_CONNECTIONS = 64
_SECONDS = 2
"""Of one measurement with wrk, which knows whole seconds only."""
_ROUNDS = 5
_PURCHASE = {"type": "transaction", "source": "pos-system", "actor_id": "user_42"}
_EVENTS = {
    "that matches nothing": {"amount": 500, "category": "food"},
    "that gives points": {"amount": 1500, "category": "food"},
}


def measure(*options: str) -> Iterator[Figure]:
    """Measure each kind of events on one service, in turn."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        rules = spec_files.find("rules/high-value-food.yml")
        service = stack.enter_context(LocalService(folder, f"--rules={rules}", *options))
        for name, payload in _EVENTS.items():
            load = Load("POST", ("/v1/events",), json.dumps(_PURCHASE | {"payload": payload}))
            readings = [read(server_of(service, "north"), load, _CONNECTIONS, _SECONDS) for _ in range(_ROUNDS)]
            yield Figure(f"an event from outside {name}, rate", median(each.rate for each in readings), "1/s")
            yield Figure(f"an event from outside {name}, p99", median(each.p99 for each in readings), "ms")
            yield Figure(f"an event from outside {name}, failed", sum(each.failed for each in readings), "")


if __name__ == "__main__":
    with postgresql.place() as where:
        for options in ((), where.options):
            for figure in measure(*options):
                print(" ".join(options[:1]), figure)  # noqa: T201 - what it is for
