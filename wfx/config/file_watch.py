"""Watch on files of the configuration, which sees them written, replaced, removed and made."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress

from wfx.commandline.config_files import Signature, signature

INTERVAL = 0.5
"""Seconds between two looks."""
QUIET = 0.25
"""Seconds for which files must stay as they are before they count as saved."""
ABSENT = 1.0
"""The same for one that has become empty, or is gone: some editors begin so, and write it then."""


class FileWatch:
    """Looks at files from time to time (``spec/decisions/0049-live-reload.md``)."""

    def __init__(self, seen: Mapping[str, Signature | None]) -> None:
        """Watch files that had these signatures when they were read."""
        self.watch(seen)

    def watch(self, seen: Mapping[str, Signature | None]) -> None:
        """Watch these files from now on, and no others."""
        self._seen = dict(seen)

    async def changed(self, hurry: asyncio.Event) -> list[str]:
        """Return when files are others than at the last return and are left alone, or at once when ``hurry`` is set.

        Returns the paths of those that are.
        """
        while True:
            now = await self._look()
            if hurry.is_set():
                break
            if now == self._seen:
                await _wait(hurry, INTERVAL)
                continue
            await _wait(hurry, ABSENT if self._lost(now) else QUIET)
            if await self._look() == now:
                break
        before, self._seen = self._seen, now
        return [path for path, found in now.items() if found != before[path]]

    def _lost(self, now: Mapping[str, Signature | None]) -> bool:
        """Tell whether a file has become empty or is gone."""
        return any(not (found and found.size) and found != self._seen[path] for path, found in now.items())

    async def _look(self) -> dict[str, Signature | None]:
        """Look from a thread: a file system of the network may take its time."""
        return await asyncio.to_thread(lambda: {path: signature(path) for path in self._seen})


async def _wait(event: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
