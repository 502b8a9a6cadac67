"""Large bodies of every kind that costs much to read, from several clients, on all routes that take a body.

``python -m tests.attack.bodies`` measures each kind by itself, with one, four and twenty attackers: what a client that
gets a job on a kept connection saw meanwhile.
"""
# ruff: noqa: T201 - it prints

from __future__ import annotations

import asyncio
import json
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict
from functools import cache
from itertools import count
from pathlib import Path

from rawhttp import request

from tests.attack.frame import BASE, ENGINES, Kind, Target
from tests.attack.witness import Witness
from wfx.demo.local import LocalService

ATTACKERS = 20
ADDRESSES = 5
"""Each attacker comes from one of so many addresses."""
SIZE, SMALLER = 10_000_000, 300_000
BRIEF = 4.0
"""Seconds: whoever has no more time sends smaller bodies."""
SECONDS = 5.0
"""How long each kind is measured."""
CLOSE = "Connection: close"
WORKFLOW = b'{"name":"w","states":[{"name":"S"}],"transitions":[]}'
_STORED = 20
"""Bodies that are really stored in one run; the others are for jobs that there are not, and leave nothing."""
_LEAVES = 7
"""One of so many bodies is sent by somebody who does not wait for the answer."""


def _members(size: int) -> bytes:
    return b",".join(b'"%d":0' % number for number in range(size // 11))


def _array(item: bytes, end: bytes = b"0]}") -> Callable[[int], bytes]:
    return lambda size: b'{"a":[' + item * (size // len(item)) + end


KINDS: dict[str, Callable[[int], bytes]] = {
    "lists": _array(b"[],"),
    "objects": _array(b'{"":0},'),
    "members": lambda size: b"{" + _members(size) + b"}",
    "numbers": lambda size: b'{"a":[' + b",".join(b"%d.5" % number for number in range(size // 9)) + b"]}",
    "negative zeros": _array(b"-0,"),
    "strings": _array(b'"",'),
    "one string": lambda size: b'{"a":"' + b"x" * size + b'"}',
    "escapes": lambda size: b'{"a":"' + b"\\u0001" * (size // 6) + b'"}',
    "markup": lambda size: b'{"a":"' + b"<" * size + b'"}',
    "no text": lambda size: b'{"a":"' + b"\xff" * size + b'"}',
    "half pairs": lambda size: b'{"a":"' + b"\\ud800" * (size // 6) + b'"}',
    "trailing": _array(b"[],", b"0]} x"),
    "cut off": _array(b"1,", b""),
    "no JSON": _array(b"1,", b"x"),
    "brackets": lambda size: b"[" * size,
    "deep": lambda size: b'{"a":[' + (b"[" * 98 + b"]" * 98 + b",") * (size // 197) + b"0]}",
    "too deep": lambda size: b'{"a":[' + (b"[" * 200 + b"]" * 200 + b",") * (size // 401) + b"0]}",
    "blanks": lambda size: b" " * size + b"{}",
}
"""Bodies of about so many bytes; all but those that are no JSON are objects."""


@cache
def _body(kind: str, size: int) -> bytes:
    return KINDS[kind](size)


ROUTES = (
    ("PUT", "/jobs/none/definition"),
    ("PUT", "/jobs/none/status"),
    ("POST", "/jobs"),
    ("POST", "/jobs/none/tags"),
    ("DELETE", "/jobs/none/tags"),
    ("POST", "/workflows"),
)
"""Where bodies are sent; none of these jobs is there."""


def _carried(kind: str, size: int, path: str, workflow: str) -> bytes:
    """A body for this path that has a body of a kind in it."""
    body = _body(kind, size)
    match path.rpartition("/")[2]:
        case "status":
            return b'{"state":"S","context":' + body + b"}"
        case "jobs":
            return b'{"clientId":"attacker","workflow":"%b","definition":' % workflow.encode() + body + b"}"
        case "tags":
            return b'["a",' + body + b"]" if kind == "brackets" else b"[" + b'"a",' * (size // 4) + b'"b"]'
        case "workflows":
            return b'{"name":"w","states":[{"name":"S"}],"transitions":[],"more":' + body + b"}"
    return body


async def attack(target: Target) -> Counter[str]:
    """Send bodies of all kinds; what they are answered is 2xx, 4xx or 503."""
    return await flood(target, tuple(KINDS), ATTACKERS)


async def flood(target: Target, kinds: Sequence[str], attackers: int) -> Counter[str]:
    """Send bodies of these kinds, each attacker one after the other."""
    size = SIZE if target.remaining() > BRIEF else SMALLER
    for kind in kinds:
        _body(kind, size)
    tally = Counter[str]()
    stored = count()
    await asyncio.gather(*(_attacker(target, kinds, size, number, tally, stored) for number in range(attackers)))
    return tally


async def _attacker(
    target: Target, kinds: Sequence[str], size: int, number: int, tally: Counter[str], stored: count[int]
) -> None:
    """One attacker, on one connection after the other."""
    for attempt in count(number):
        kind = kinds[attempt % len(kinds)]
        method, path = ROUTES[(attempt // len(kinds) + number) % len(ROUTES)]
        workflow = "w" if path == "/jobs" and next(stored) < _STORED else "none"
        sent = request(method, BASE + path, _carried(kind, size, path, workflow), CLOSE)
        port = target.ports[attempt % 2]
        with suppress(OSError, EOFError, asyncio.IncompleteReadError):
            status = await _ask(port, number, sent, leaves=attempt % _LEAVES == 0)
            tally[f"answered {status}" if status else "left"] += 1
            assert status < 500 or status == 503, f"{kind} to {method} {path} was answered {status}"
        tally["bodies"] += 1
        if not target.goes_on():
            return


async def _ask(port: int, number: int, sent: bytes, *, leaves: bool) -> int:
    """Send a request from the attacker's address and return the status; 0 if its answer was not waited for."""
    address = (f"127.0.0.{2 + number % ADDRESSES}", 0)
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=address)
    try:
        writer.write(sent)
        with suppress(ConnectionError):  # it may be refused before all of it is sent
            await writer.drain()
        if leaves:
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return 0
        status = int((await reader.readline()).split()[1])
        while await reader.read(1 << 20):
            pass  # the answer, up to its end
        return status
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


KIND = Kind(attack)


def measure(kind: str, attackers: int, engine: str, seconds: float) -> str:
    """Run a service under one kind of attack; gives what a client that gets a workflow saw meanwhile."""
    with tempfile.TemporaryDirectory() as folder, LocalService(Path(folder), f"--http-engine={engine}") as service:
        assert service.process is not None
        north, south, process = service.ports["north"], service.ports["south"], service.process.pid
        store = request("POST", f"{BASE}/workflows", WORKFLOW, CLOSE)
        asyncio.run(_ask(north, 0, store, leaves=False))
        target = Target(engine, north, south, process, folder, time.monotonic() + seconds)
        command = [sys.executable, "-m", "tests.attack.bodies", kind, str(attackers), json.dumps(asdict(target))]
        with Witness(north, request("GET", f"{BASE}/workflows/w")) as witness:
            done = subprocess.run(command, check=True, capture_output=True, text=True)
    figures = " ".join(f"{witness.latency(part) * 1000:7.1f}" for part in (0.5, 0.99, 1.0))
    return f"{engine:10} {kind:15} {attackers:3} {figures}  {len(witness.seconds)} answers; {done.stdout.strip()}"


def main(arguments: Sequence[str]) -> None:
    """Measure the kinds named, or all; as one attack if it is told the target."""
    if len(arguments) == 3 and arguments[2].startswith("{"):
        kinds = tuple(KINDS) if arguments[0] == "all" else (arguments[0],)
        print(dict(asyncio.run(flood(Target(**json.loads(arguments[2])), kinds, int(arguments[1])))))
        return
    print("engine     bodies   attackers  p50 [ms]  p99     max")
    for engine in ENGINES[:1]:
        for kind in arguments or ("all", *KINDS):
            for attackers in (1, 4, 20):
                print(measure(kind, attackers, engine, SECONDS), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
