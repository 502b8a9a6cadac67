"""Bytes that are nearly requests, whole and in pieces, on many connections at once."""

from __future__ import annotations

import asyncio
import random
import re
from collections import Counter
from contextlib import suppress

from tests.attack.frame import Kind, Target
from tests.fuzz.edge import SAMPLES, TOKENS
from tests.fuzz.mutation import mutated

CLIENTS = 8
PIECES = (1, 7, 100, 100_000)
_STATUS = re.compile(rb"^HTTP/1\.[01] ([2-5]\d\d) ", re.MULTILINE)


async def attack(target: Target) -> Counter[str]:
    """Send changed requests; what they are answered is 2xx, 4xx or 505."""
    tally = Counter[str]()
    await asyncio.gather(*(_send_on(target, random.Random(number), tally) for number in range(CLIENTS)))
    return tally


async def _send_on(target: Target, chance: random.Random, tally: Counter[str]) -> None:
    while True:
        data = mutated(chance, SAMPLES, TOKENS)
        said = await _ask(chance.choice(target.ports), data, chance.choice(PIECES))
        tally["connections"] += 1
        for status in map(int, _STATUS.findall(said)):
            assert status < 500 or status == 505, f"{status} to {data!r}"
            tally[f"answered {status}"] += 1
        if not target.goes_on():
            return


async def _ask(port: int, data: bytes, size: int) -> bytes:
    """Send bytes in pieces and say that there are no more; gives all that is answered."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        with suppress(ConnectionError):
            for at in range(0, len(data), size):
                writer.write(data[at:at + size])
                await writer.drain()
            writer.write_eof()
            return await reader.read()
    finally:
        writer.close()
    return b""


KIND = Kind(attack)
