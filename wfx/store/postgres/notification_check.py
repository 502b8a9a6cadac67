"""Check whether notifications of PostgreSQL are heard: poolers of transactions accept LISTEN, and pass nothing on."""

from __future__ import annotations

import asyncio
from typing import NamedTuple
from uuid import uuid4

from wfx.store.postgres.connections import Open, Plain

_SECONDS = 1.0


class Pair(NamedTuple):
    """Two connections."""

    ear: Plain
    """On which is heard what is notified on the other."""
    mouth: Plain


async def open_heard(listen: Open, notify: Open) -> Pair | None:
    """Open two connections; return them if what one notifies is heard on the other within a second, else close them.

    Raises StoreUnavailable.
    """
    ear = await listen()
    try:
        mouth = await notify()
        try:
            if await _is_heard(ear, mouth):
                return Pair(ear, mouth)
        except BaseException:
            mouth.terminate()
            raise
        mouth.terminate()
    except BaseException:
        ear.terminate()
        raise
    ear.terminate()
    return None


async def _is_heard(ear: Plain, mouth: Plain) -> bool:
    channel, heard = f"wfx_{uuid4().hex}", asyncio.Event()

    def hear(*_: object) -> None:
        heard.set()

    await ear.add_listener(channel, hear)
    try:
        await mouth.execute(f"NOTIFY {channel}")
        async with asyncio.timeout(_SECONDS):
            await heard.wait()
    except TimeoutError:
        return False
    await ear.remove_listener(channel, hear)
    return True
