"""What sanitized logs and the rate limit cost: throughput with both on, as a ratio to that with both off.

Requests are always counted for ``/metrics``; what that costs ``make bench-compare`` says, with a commit before it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from bench import fixture
from bench.servers import Reading, client, read, server_of
from bench.streams import Figure
from wfx.demo.local import LocalService

_OFF = ("--log-sanitization=false", "--rate-limit-enabled=false")
_ON = (
    "--log-sanitization=true", "--rate-limit-enabled=true", "--rate-limit-sides=north,south",
    "--ip-rate-limit=1000000000",
)  # fmt: skip
_CONNECTIONS = 16
_ROUNDS = 7
_JOBS = 200


def measure(engine: str, seconds: float = 1.0) -> Iterator[Figure]:
    """Measure each operation on two services in turn.

    Each round starts both anew: of two equal processes one may be a tenth quicker for as long as it lives.
    """
    rounds = [_round(f"--http-engine={engine}", seconds, backwards=number % 2 == 1) for number in range(_ROUNDS)]
    for name, pairs in _by_case(rounds).items():
        yield Figure(f"{name}, requests", median(on.rate / off.rate for off, on in pairs), "of 1")
        yield Figure(f"{name}, processor", median(off.cpu / on.cpu for off, on in pairs), "of 1")


def _by_case(rounds: Sequence[dict[str, tuple[Reading, Reading]]]) -> dict[str, list[tuple[Reading, Reading]]]:
    return {
        f"{name}: with sanitizing and rate limit, to without": [each[name] for each in rounds] for name in rounds[0]
    }


def _round(engine: str, seconds: float, *, backwards: bool) -> dict[str, tuple[Reading, Reading]]:
    """Measure each case without the options and with them; ``backwards`` begins with the latter."""
    with ExitStack() as stack:
        services = [_served(stack, engine, *options) for options in (_OFF, _ON)]
        step = -1 if backwards else 1
        found: dict[str, tuple[Reading, Reading]] = {}
        for off, on in zip(*(_cases(service) for service in services), strict=True):
            turns = [
                (server_of(service, case.side), case.load) for service, case in zip(services, (off, on), strict=True)
            ]
            first, second = [read(server, load, _CONNECTIONS, seconds) for server, load in turns[::step]][::step]
            found[off.name] = first, second
        return found


def _served(stack: ExitStack, *options: str) -> LocalService:
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    return stack.enter_context(LocalService(folder, *options))


def _cases(service: LocalService) -> list[fixture.Case]:
    with client(service.north) as operator, client(service.south) as device:
        return fixture.prepare(operator, device, _JOBS)
