"""Pages of the past that several readers wait for."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import cast

from tests.events.listlog import ListLog
from wfx.domain.job import Event
from wfx.events.log_pages import LogPages
from wfx.store.protocol import Store


class HeldUp:
    """A store whose reads wait until they may go on."""

    def __init__(self) -> None:
        """Hold all reads up."""
        self.go_on = asyncio.Event()
        self.reads = 0

    async def read_log(self, _after: int, _limit: int, _room: int) -> Sequence[Event]:
        """Read nothing, late."""
        self.reads += 1
        await self.go_on.wait()
        return ()


async def test_a_reader_who_leaves_does_not_take_the_page_from_others() -> None:
    """Two readers wait for one page, one of them leaves: the other one gets it, by the one read there was."""
    store = HeldUp()
    archive = LogPages(cast("Store", store))
    leaving, staying = (asyncio.create_task(archive.page(0)) for _ in range(2))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    leaving.cancel()
    await asyncio.gather(leaving, return_exceptions=True)
    store.go_on.set()
    assert list(await asyncio.wait_for(staying, 30)) == []
    assert store.reads == 1
    await archive.close()


async def test_pages_have_about_as_many_bytes() -> None:
    """Where events are large, a page has few of them; where they are small again, it soon has as many as ever."""
    log = ListLog()
    for number in range(1000):
        log.change(filling="x" * 16_384 if number < 128 else "")
    archive = LogPages(log.store)
    after, lengths = 0, []
    while after < log.head:
        lengths.append(len(await archive.page(after)))
        after += lengths[-1]
    assert lengths == [64, *[4] * 16, 4, 4, 8, 16, 32, *[64] * 12, 40]
    await archive.close()
