"""Response filters that run into their limits: from one client, on twenty connections of one, and from twenty."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from itertools import cycle

import httpx

from tests.attack.frame import Kind, Target

SLOW = (
    "last(range(1e12))", "[range(1e9)] | length", "def f: f; f", '"a" * 1000000000 | length', 'repeat("x")',
    'reduce range(1e9) as $i (""; . + "x")', "[recurse(1)]",
)  # fmt: skip
QUICK = ".id | ascii_upcase"
"""What another client sends meanwhile; a worker has to run it, too."""
PAUSE = 0.01
"""Seconds between an answer and that client's next request."""
ATTACKERS = {
    "one client": ["127.0.0.2"],
    "one client, twenty connections": ["127.0.0.3"] * 20,
    "twenty clients": [f"127.0.0.{number}" for number in range(4, 24)],
}


async def attack(target: Target) -> Counter[str]:
    """Send slow filters; another client's quick ones are answered 200, or 503 where a worker was not free in time."""
    tally = Counter[str]()
    async with httpx.AsyncClient(base_url=target.north, trust_env=False) as client:
        job = (await client.get("/jobs")).raise_for_status().json()["content"][0]["id"]
    for left, (name, addresses) in zip((3, 2, 1), ATTACKERS.items(), strict=True):
        until = time.monotonic() + target.remaining() / left
        attackers = (_send(target, f"/jobs/{job}", address, cycle(SLOW), until, tally, name) for address in addresses)
        other = _send(target, f"/jobs/{job}", "127.0.0.1", cycle([QUICK]), until, tally, f"another beside {name}")
        await asyncio.gather(other, *attackers)
    return tally


async def _send(
    target: Target, path: str, address: str, programs: cycle[str], until: float, tally: Counter[str], who: str
) -> None:
    transport = httpx.AsyncHTTPTransport(local_address=address)
    async with httpx.AsyncClient(base_url=target.north, transport=transport, timeout=120, trust_env=False) as client:
        while True:
            program = next(programs)
            status = (await client.get(path, headers={"X-Response-Filter": program})).status_code
            assert status in ({200, 503} if program == QUICK else {422, 503}), f"{status} to {program}"
            tally[f"{who}: {status}"] += 1
            if time.monotonic() >= until:
                return
            await asyncio.sleep(PAUSE if program == QUICK else 0)


KIND = Kind(attack)
