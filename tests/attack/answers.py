"""Large answers: lists of large jobs and long histories, for readers that take little, nothing, or all of it."""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from contextlib import suppress
from itertools import cycle

import httpx
from rawhttp import request

from tests.attack.frame import BASE, Kind, Target

JOBS, ENTRIES, MEGABYTE = 12, 12, 1_000_000
READERS = 6
"""How many answers are asked for at the same time."""
TAKES = (0, 1000, 5 * MEGABYTE, None)
"""Bytes of an answer that a reader takes before it leaves; None for all."""
SMALL_BUFFER = 4096


async def attack(target: Target) -> Counter[str]:
    """Store large jobs and one with a long history; what is answered for them is 200, or 503 with nothing begun."""
    tally = Counter[str]()
    async with httpx.AsyncClient(base_url=target.north, trust_env=False, timeout=120) as north:
        history = await _stock(north, tally)
    paths = ("?limit=1000&clientId=large", f"/{history}?history=true", "/events?since=0")
    kinds = cycle([(f"{BASE}/jobs{path}", takes) for path in paths for takes in TAKES])
    while True:
        readers = [next(kinds) for _ in range(max(READERS, len(paths) * len(TAKES)))]
        await asyncio.gather(*(
            _read(target, target.ports[number % 2], path, takes, tally) for number, (path, takes) in enumerate(readers)
        ))  # fmt: skip
        if not target.goes_on():
            return tally


async def _stock(north: httpx.AsyncClient, tally: Counter[str]) -> str:
    """Store the jobs; gives the id of the one with a history."""
    body = {"clientId": "large", "workflow": "w", "definition": {"filling": "x" * MEGABYTE}}
    made = [(await north.post("/jobs", json=body)).raise_for_status().json()["id"] for _ in range(JOBS)]
    for number in range(ENTRIES):
        definition = {"filling": "y" * MEGABYTE, "number": number}
        tally[f"definitions: {(await north.put(f'/jobs/{made[0]}/definition', json=definition)).status_code}"] += 1
    return str(made[0])


async def _read(target: Target, port: int, path: str, takes: int | None, tally: Counter[str]) -> None:
    """Ask, take so much, wait a little as one who reads slowly, and leave."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER)
    connection.setblocking(False)
    await asyncio.get_running_loop().sock_connect(connection, ("127.0.0.1", port))
    reader, writer = await asyncio.open_connection(sock=connection)
    endless = takes is None and "events" in path
    try:
        writer.write(request("GET", path, b"", "Connection: close"))
        status = int((await reader.readline()).split()[1])
        assert status in (200, 503), f"{status} to {path}"
        tally[f"answered {status}"] += 1
        while (takes is None or takes > 0) and (data := await reader.read(MEGABYTE if takes is None else takes)):
            tally["bytes read"] += len(data)
            if takes is not None:
                takes -= len(data)
            elif endless and not target.goes_on():
                break
            elif endless:
                takes = JOBS * MEGABYTE
        await asyncio.sleep(min(1.0, target.remaining()))
    finally:
        with suppress(ConnectionError):
            writer.close()


KIND = Kind(attack)
