"""Proxy before PostgreSQL that breaks the next connection over which a change is sent, at a chosen moment."""

from __future__ import annotations

import asyncio
import random
import socket
import struct
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from enum import Enum

_AT_ONCE = 1 << 20
_LATE = (0.0, 0.002, 0.004, 0.01, 0.1)
"""Seconds that a change is on its way for, when its sender has gone already."""


class Cut(Enum):
    """What is lost with the connection."""

    CHANGE = "the change, whole"
    HALF_CHANGE = "the second half of the change"
    ANSWER = "the answer, once PostgreSQL has committed"
    HALF_ANSWER = "the second half of the answer"
    LATE_CHANGE = "nothing, but the change comes to PostgreSQL when its sender has gone"
    SILENCE = "the answer, and nobody is told that the connection is lost"


class Proxy:
    """Passes everything on between a server and PostgreSQL, until it is told to cut."""

    def __init__(self, port: int, marker: bytes, chance: random.Random) -> None:
        """Stand before the PostgreSQL on this port; what has the ``marker`` in it is a change."""
        self._port = port
        self._marker = marker
        self._chance = chance
        self._next: Cut | None = None
        self._serving: set[asyncio.Task[None]] = set()
        self.cuts: Counter[Cut] = Counter()
        """How many connections were cut, and when."""

    def cut(self, cut: Cut) -> None:
        """Cut the connection of the next change."""
        self._next = cut

    @property
    def waits(self) -> bool:
        """Whether a cut has not happened yet."""
        return self._next is not None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[int]:
        """Yield the port to connect to."""
        async with await asyncio.start_server(self._accept, "127.0.0.1", 0) as server:
            yield server.sockets[0].getsockname()[1]
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve a connection in a task that is kept: the loop itself would forget it."""
        task = asyncio.create_task(self._serve(reader, writer))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            back, there = await asyncio.open_connection("127.0.0.1", self._port)
        except OSError:
            _reset(writer)
            return
        answers = asyncio.create_task(_pass_on(back, writer))
        try:
            with suppress(OSError):  # either side may go away at any time
                await self._pass_changes(reader, writer, back, there, answers)
        finally:
            answers.cancel()
            writer.close()
            there.close()

    async def _pass_changes(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        back: asyncio.StreamReader,
        there: asyncio.StreamWriter,
        answers: asyncio.Task[None],
    ) -> None:
        while data := await reader.read(_AT_ONCE):
            if self._next is not None and self._marker in data:
                cut, self._next = self._next, None
                answers.cancel()
                await asyncio.wait([answers])
                await self._cut(cut, data, (reader, writer), (back, there))
                self.cuts[cut] += 1
                return
            there.write(data)
            await there.drain()

    async def _cut(
        self,
        cut: Cut,
        data: bytes,
        client: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        server: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    ) -> None:
        (reader, writer), (back, there) = client, server
        match cut:
            case Cut.HALF_CHANGE:
                data = data[: len(data) // 2]
            case Cut.LATE_CHANGE:
                _reset(writer)
                await asyncio.sleep(self._chance.choice(_LATE))
        if cut is not Cut.CHANGE:
            there.write(data)
            await there.drain()
        if cut in (Cut.ANSWER, Cut.HALF_ANSWER, Cut.LATE_CHANGE, Cut.SILENCE):
            answer = await back.read(_AT_ONCE)  # PostgreSQL goes on, and does not learn that nobody is there
            if cut is Cut.HALF_ANSWER:
                writer.write(answer[: len(answer) // 2])
                await writer.drain()
            if cut is Cut.SILENCE:
                await reader.read()  # until its patience ends
        if cut is not Cut.LATE_CHANGE:
            _reset(writer)


def _reset(writer: asyncio.StreamWriter) -> None:
    """Break the connection, as a router does that forgets it."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(_AT_ONCE):
            writer.write(data)
            await writer.drain()
    writer.close()
