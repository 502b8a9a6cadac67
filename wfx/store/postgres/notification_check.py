"""Check whether notifications of PostgreSQL are heard: poolers of transactions accept LISTEN, and pass nothing on."""

from __future__ import annotations

import asyncio
from uuid import uuid4

from wfx.store.postgres.connections import Open

_SECONDS = 1.0


async def are_heard(listen: Open, notify: Open) -> bool:
    """Listen on one connection, notify on another, and wait a second at most. Raises StoreUnavailable."""
    channel, heard = f"wfx_{uuid4().hex}", asyncio.Event()
    ear = await listen()
    try:
        await ear.add_listener(channel, lambda *_: heard.set())
        mouth = await notify()
        try:
            await mouth.execute(f"NOTIFY {channel}")
            async with asyncio.timeout(_SECONDS):
                await heard.wait()
        except TimeoutError:
            return False
        else:
            return True
        finally:
            mouth.terminate()
    finally:
        ear.terminate()
