"""Reads event streams as browsers do (HTML standard, section 9.2.6)."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from wfx.events.subscription import Subscription


@dataclass
class EventSource:
    """Takes a stream's bytes apart; what is not ended by a blank line does not count."""

    last_id: str | None = None
    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    """Ids and data of the events that were dispatched."""
    ids: list[str] = field(default_factory=list)
    """Every id there was, also of blocks without data."""
    early: list[str] = field(default_factory=list)
    """Ids that were told before the events they belong to: whoever had left then would have missed these."""
    comments: int = 0
    _rest: bytes = b""

    def feed(self, chunk: bytes) -> None:
        """Take in some bytes."""
        *blocks, self._rest = (self._rest + chunk).split(b"\n\n")
        for block in blocks:
            self._block(block.decode())

    def reconnect(self) -> None:
        """Forget the block that was not complete."""
        self._rest = b""

    @property
    def jobs(self) -> list[str]:
        """The ids of the jobs of all events."""
        return [data["job"]["id"] for _, data in self.events]

    def _block(self, block: str) -> None:
        data = None
        for line in block.split("\n"):
            name, _, value = line.partition(": ")
            match name:
                case "id":
                    if data is not None and value == self.last_id:
                        self.early.append(value)
                    self.last_id = value
                    self.ids.append(value)
                case "data":
                    data = json.loads(value)
                case "":
                    self.comments += 1
                case _:
                    raise AssertionError(f"not a line of an event stream: {line!r}")
        if data is not None:
            self.events.append((self.last_id or "", data))


class Reader:
    """A task that reads a subscription, at its own pace."""

    def __init__(self, subscription: Subscription, source: EventSource | None = None, pace: float = 0) -> None:
        """Begin to read, with ``pace`` seconds between chunks."""
        self.source = source or EventSource()
        self.raw = b""
        self._pace = pace
        self._goes = asyncio.Event()
        self._goes.set()
        self._task = asyncio.create_task(self._read(subscription))

    def pause(self) -> None:
        """Stop reading for now."""
        self._goes.clear()

    def go_on(self) -> None:
        """Read again."""
        self._goes.set()

    async def stop(self) -> None:
        """Go away."""
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    async def end(self, seconds: float = 10) -> None:
        """Wait for the stream to end."""
        await asyncio.wait_for(asyncio.shield(self._task), seconds)

    @property
    def ended(self) -> bool:
        """Whether the stream came to its end."""
        return self._task.done()

    async def _read(self, subscription: Subscription) -> None:
        chunks = subscription.chunks()
        try:
            async for chunk in chunks:
                self.raw += chunk
                self.source.feed(bytes(chunk))
                await asyncio.sleep(self._pace)
                await self._goes.wait()
        finally:
            await chunks.aclose()
