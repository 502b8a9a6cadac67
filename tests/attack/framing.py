"""Requests that could be taken for two, and bytes that are nearly requests: whole and in pieces, many at once."""

from __future__ import annotations

import asyncio
import random
import re
from collections import Counter
from contextlib import suppress

from tests.attack.frame import Kind, Target
from tests.fuzz.edge import SAMPLES, TOKENS
from tests.fuzz.mutation import mutated
from tests.server.smuggling import CASES

CLIENTS = 8
PIECES = (1, 7, 100, 100_000)
_STATUS = re.compile(rb"HTTP/1\.[01] ([2-5]\d\d) ")


async def attack(target: Target) -> Counter[str]:
    """Send them; what is answered is no 5xx but 505, and there is never an answer more than there are requests."""
    tally = Counter[str]()
    await asyncio.gather(*(_send_on(target, random.Random(number), tally) for number in range(CLIENTS)))
    return tally


async def _send_on(target: Target, chance: random.Random, tally: Counter[str]) -> None:
    while True:
        await _smuggle(target, chance, tally)
        data = mutated(chance, SAMPLES, TOKENS)
        for status in await _ask(chance.choice(target.ports), data, chance.choice(PIECES)):
            assert status < 500 or status == 505, f"{status} to {data!r}"
            tally[f"nearly requests: {status}"] += 1
        if not target.goes_on():
            return


async def _smuggle(target: Target, chance: random.Random, tally: Counter[str]) -> None:
    """Send a request whose body is a request, with one behind it."""
    case = chance.choice(CASES)
    statuses = await _ask(chance.choice(target.ports), case.data(), chance.choice(PIECES[1:]))
    assert len(statuses) <= (1 if case.ends else 2), f"{statuses} to {case}"
    tally.update(f"requests in requests: {status}" for status in statuses)


async def _ask(port: int, data: bytes, size: int) -> list[int]:
    """Send bytes in pieces and say that there are no more; gives the statuses of all answers, interim ones apart."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    said = b""
    try:
        with suppress(ConnectionError):
            for at in range(0, len(data), size):
                writer.write(data[at : at + size])
                await writer.drain()
            with suppress(OSError):  # the service has closed, perhaps after an answer
                writer.write_eof()
            said = await reader.read()
    finally:
        writer.close()
    return [int(status) for status in _STATUS.findall(said)]


KIND = Kind(attack)
