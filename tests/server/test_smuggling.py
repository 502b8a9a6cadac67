"""One request is one request: nothing in it makes its body, or anything else of it, a second one."""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress

import pytest

from tests.server.recording import Recorded
from tests.server.smuggling import CASES, SOME, Smuggling

_AT_ONCE = 32
_DEADLINE = 60.0


async def _ask(port: int, case: Smuggling, *, bytewise: bool) -> bytes:
    """Send a case and return all that comes until the connection ends."""
    loop = asyncio.get_running_loop()
    data = case.data()
    received = b""
    with socket.socket() as wire, suppress(ConnectionError):
        wire.setblocking(False)
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await loop.sock_connect(wire, ("127.0.0.1", port))
        with suppress(ConnectionError):  # refused before all was sent
            for at in range(0, len(data), 1 if bytewise else len(data)):
                await loop.sock_sendall(wire, data[at : at + 1] if bytewise else data)
        while more := await asyncio.wait_for(loop.sock_recv(wire, 65536), _DEADLINE):
            received += more
    return received


def statuses(received: bytes, *methods: str) -> list[int]:
    """Read the answers to requests with these methods; interim ones are left out."""
    found = []
    asked = iter(methods)
    while received:
        head, _, received = received.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").splitlines()
        assert lines[0].startswith("HTTP/1.1 "), lines
        status = int(lines[0].split()[1])
        if status == 100:
            continue
        found.append(status)
        lengths = [int(line.partition(":")[2]) for line in lines if line.lower().startswith("content-length:")]
        if next(asked, "GET") != "HEAD":
            received = received[sum(lengths) :]
    return found


async def _ask_all(port: int, cases: Iterable[Smuggling], *, bytewise: bool) -> dict[Smuggling, list[int]]:
    turns = asyncio.Semaphore(_AT_ONCE)

    async def one(case: Smuggling) -> list[int]:
        async with turns:
            return statuses(await _ask(port, case, bytewise=bytewise), case.method, "GET")

    given = list(cases)
    return dict(zip(given, await asyncio.gather(*map(one, given)), strict=True))


@pytest.mark.parametrize("bytewise", [False, True], ids=["whole", "byte by byte"])
@pytest.mark.parametrize("side", ["north", "south"])
def test_one_request_has_one_answer(recorded: Recorded, side: str, bytewise: bool) -> None:
    """Row 26: whatever its method and fields, a request with a body has one answer; plugins see what is answered."""
    asked = SOME if bytewise else CASES
    answered = asyncio.run(_ask_all(recorded.service.ports[side], asked, bytewise=bytewise))
    seen = Counter(recorded.shown(side))
    wrong = []
    for case, found in answered.items():
        requests = {(path, length) for path, length in seen if path.split("/")[1] == str(case.number)}
        expected = [(404,) if case.method in ("GET", "HEAD") else (405,), (404,)] if case.passes else [(400, 405)]
        fits = len(found) == (1 if case.ends else 2) and all(map(_among, found, expected))
        if not fits or requests != set(case.bodies.items()) or any(seen[each] != 1 for each in requests):
            wrong.append(f"{case}: answered {found}, seen {requests}")
    assert wrong == []


def _among(status: int, expected: tuple[int, ...]) -> bool:
    return status in expected
