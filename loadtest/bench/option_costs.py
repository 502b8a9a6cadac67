"""What sanitized logs and the rate limit cost: throughput with both on, as a ratio to that with both off.

Requests are always counted for ``/metrics``; what that costs ``make bench-compare`` says, with a commit before it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from bench import fixture
from bench.servers import client, read, server_of
from bench.streams import Figure
from wfx.demo.local import LocalService

_OFF = ("--log-sanitization=false", "--rate-limit-enabled=false")
_ON = (
    "--log-sanitization=true", "--rate-limit-enabled=true", "--rate-limit-sides=north,south",
    "--ip-rate-limit=1000000000",
)  # fmt: skip
_CONNECTIONS = 16
_ROUNDS = 5
_JOBS = 200


def measure(engine: str, seconds: float = 2.0) -> Iterator[Figure]:
    """Measure each operation on two services in turn."""
    with ExitStack() as stack:
        off, on = (_served(stack, f"--http-engine={engine}", *options) for options in (_OFF, _ON))
        for before, after in zip(_cases(off), _cases(on), strict=True):
            both = [(server_of(off, before.side), before.load), (server_of(on, after.side), after.load)]
            rounds = [[read(server, load, _CONNECTIONS, seconds) for server, load in both] for _ in range(_ROUNDS)]
            name = f"{after.name}: with sanitizing and rate limit, to without"
            yield Figure(f"{name}, requests", median(new.rate / old.rate for old, new in rounds), "of 1")
            yield Figure(f"{name}, processor", median(old.cpu / new.cpu for old, new in rounds), "of 1")


def _served(stack: ExitStack, *options: str) -> LocalService:
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    return stack.enter_context(LocalService(folder, *options))


def _cases(service: LocalService) -> list[fixture.Case]:
    with client(service.north) as operator, client(service.south) as device:
        return fixture.prepare(operator, device, _JOBS)
