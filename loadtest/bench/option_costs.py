"""What options cost: throughput with sanitized logs and rate limit, encryption, or rules, as a ratio to that without.

Requests are always counted for ``/metrics``; what that costs ``make bench-compare`` says, with a commit before it.
"""

from __future__ import annotations

import tempfile
from base64 import b64encode
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from bench import fixture
from bench.rules import HEAD, scenario
from bench.servers import Reading, client, read, server_of
from bench.streams import Figure
from wfx.demo.local import LocalService

_OFF = ("--log-sanitization=false", "--rate-limit-enabled=false")
_ON = (
    "--log-sanitization=true", "--rate-limit-enabled=true", "--rate-limit-sides=north,south",
    "--ip-rate-limit=1000000000",
)  # fmt: skip
_ENCRYPTION = ("--enable-encryption", f"--encryption-keys=bench:{b64encode(bytes(range(32))).decode()}")
_KINDS = ("job.create", "job.update_status", "job.update_definition", "job.add_tags", "job.delete", "job.delete_tags")
"""Types of events that a job causes."""
_SCENARIOS = 1000
_OF_A_KIND = 20
"""Scenarios that one of these events concerns; the others concern events from outside."""
_CONNECTIONS = 16
_ROUNDS = 7
_JOBS = 200


def measure(engine: str, seconds: float = 1.0) -> Iterator[Figure]:
    """Measure each operation on two services in turn.

    Each round starts both anew: of two equal processes one may be a tenth quicker for as long as it lives.
    """
    yield from _compare("sanitizing and rate limit", engine, seconds, _OFF, _ON)
    yield from _compare("encryption", engine, seconds, (), _ENCRYPTION)
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as rules:
        kinds = [*_KINDS * _OF_A_KIND, *["outside"] * (_SCENARIOS - _OF_A_KIND * len(_KINDS))]
        rules.write(HEAD + "".join(scenario(number, kind, 3) for number, kind in enumerate(kinds)))
        rules.flush()
        yield from _compare(f"{_SCENARIOS} scenarios", engine, seconds, (), (f"--rules={rules.name}",))


def _compare(what: str, engine: str, seconds: float, off: Sequence[str], on: Sequence[str]) -> Iterator[Figure]:
    options = [(f"--http-engine={engine}", *some) for some in (off, on)]
    rounds = [_round(options, seconds, backwards=number % 2 == 1) for number in range(_ROUNDS)]
    for name in rounds[0]:
        pairs = [each[name] for each in rounds]
        title = f"{name}: with {what}, to without"
        yield Figure(f"{title}, requests", median(on.rate / off.rate for off, on in pairs), "of 1")
        yield Figure(f"{title}, processor", median(on.cpu / off.cpu for off, on in pairs), "of 1")


def _round(options: Sequence[Sequence[str]], seconds: float, *, backwards: bool) -> dict[str, tuple[Reading, Reading]]:
    """Measure each case without the options and with them; ``backwards`` begins with the latter."""
    with ExitStack() as stack:
        services = [_served(stack, *some) for some in options]
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
