"""The composed service with its listeners, in the process of the test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.waiting import until
from wfx import supervise
from wfx.compose import Composition, compose
from wfx.config.options import Config, Host
from wfx.request_context import Side
from wfx.server.listeners import open_listeners
from wfx.signals import ControlEvents
from wfx.systemd import ServiceManager

DEADLINE = 60.0


@dataclass(frozen=True)
class Running:
    """A service that runs, and where."""

    parts: Composition
    ports: dict[Side, int]

    def tune(self, **settings: Any) -> None:
        """Replace the tunables: these are other ones now."""
        self.parts.tunables.replace(replace(self.parts.tunables.current, **settings))

    def url(self, side: Side) -> str:
        """The address of the API."""
        return f"http://127.0.0.1:{self.ports[side]}/api/wfx/v1"

    async def connect(self, side: Side, sent: bytes = b"") -> Connection:
        """Connect to a side, and send something."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.ports[side])
        writer.write(sent)
        await writer.drain()
        return Connection(reader, writer)


@dataclass(frozen=True)
class Connection:
    """A client's connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def until(self, end: bytes) -> bytes:
        """What comes, up to this."""
        async with asyncio.timeout(DEADLINE):
            return await self.reader.readuntil(end)

    async def rest(self) -> bytes:
        """What comes until the server closes the connection."""
        async with asyncio.timeout(DEADLINE):
            return await self.reader.read()

    async def close(self) -> None:
        """Leave."""
        self.writer.close()
        await self.writer.wait_closed()


@asynccontextmanager
async def composed(folder: Path, **settings: Any) -> AsyncIterator[Running]:
    """Run the service with these settings, as the program does but for signals."""
    settings.setdefault("storage_opt", f"file:{folder}/wfx.db")
    config = Config(client_host=Host("127.0.0.1"), client_port=0, mgmt_port=0, **settings)
    control = ControlEvents()
    async with AsyncExitStack() as stack:
        parts = await compose(config, stack, control.stop)
        listeners = open_listeners(config)
        ports = {listener.side: listener.socket.getsockname()[1] for listener in listeners if listener.scheme == "http"}
        serving = supervise._serve(parts, listeners, nullcontext(), control, ServiceManager({}))
        task = asyncio.create_task(serving)
        try:
            await until(lambda: len(parts.limits.listeners) == len(listeners))
            yield Running(parts, ports)
        finally:
            control.stop.set()
            async with asyncio.timeout(DEADLINE):
                await task
