"""Check whether notifications of PostgreSQL are heard: poolers of transactions accept LISTEN, and pass nothing on."""

from __future__ import annotations

import asyncio
from typing import NamedTuple
from uuid import uuid4

from wfx.store.postgres.connections import Open, Plain

_SECONDS = 1.0


class HeardConnections(NamedTuple):
    """Two connections: what one notifies is heard on the other."""

    listening: Plain
    notifying: Plain


async def open_heard(listen: Open, notify: Open) -> HeardConnections | None:
    """Open two connections; return them if what one notifies is heard on the other within a second, else close them.

    Raises StoreUnavailable.
    """
    listening = await listen()
    try:
        notifying = await notify()
        try:
            if await _is_heard(listening, notifying):
                return HeardConnections(listening, notifying)
        except BaseException:
            notifying.terminate()
            raise
        notifying.terminate()
    except BaseException:
        listening.terminate()
        raise
    listening.terminate()
    return None


async def _is_heard(listening: Plain, notifying: Plain) -> bool:
    channel, heard = f"wfx_{uuid4().hex}", asyncio.Event()

    def hear(*_: object) -> None:
        heard.set()

    await listening.add_listener(channel, hear)
    try:
        await notifying.execute(f"NOTIFY {channel}")
        async with asyncio.timeout(_SECONDS):
            await heard.wait()
    except TimeoutError:
        return False
    await listening.remove_listener(channel, hear)
    return True
