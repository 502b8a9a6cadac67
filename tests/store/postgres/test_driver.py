"""Connections that are lost at moments that the driver does not expect, which are no errors of the program."""

from __future__ import annotations

import asyncio
import random
import socket
import struct
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

import pytest
import uvloop
from postgres_server import Postgres

from tests.waiting import until
from wfx.domain.errors import StoreUnavailable
from wfx.store.postgres.connecting import Connector
from wfx.store.postgres.connections import Connection, Plain
from wfx.store.postgres.driver import _known_types
from wfx.store.postgres.known_log import KnownLog, Objection
from wfx.store.postgres.target import read_target

PLACES = 50
"""How many places of a conversation it is cut at."""
KILL = "SELECT pg_terminate_backend(pg_backend_pid())"
Run = Callable[[Coroutine[Any, Any, None]], None]
on_both_loops = pytest.mark.parametrize("run", [asyncio.run, uvloop.run])


def connection(postgres: Postgres, database: str, **others: object) -> Connection:
    """A connection of the store, which waits for as long as it takes."""
    option = postgres.conninfo(database, sslmode="disable", **others)
    return Connection(Connector(read_target(option, {})), known_down=60.0)


class Interrupted:
    """The driver's protocol, behind which something else happens before those run who waited for an answer."""

    def __init__(self, protocol: Any, interrupt: Callable[[], None]) -> None:
        """Call ``interrupt`` whenever PostgreSQL has said something."""
        self._protocol = protocol
        self._interrupt = interrupt

    def __getattr__(self, name: str) -> Any:
        """Return what the protocol has."""
        return getattr(self._protocol, name)

    def data_received(self, data: bytes) -> None:
        """Pass the answer on."""
        self._protocol.data_received(data)
        self._interrupt()


@on_both_loops
def test_let_go_of_between_two_answers(postgres: Postgres, database: str, run: Run) -> None:
    """A read whose connection another task lets go of between two answers of PostgreSQL is done on a new one."""
    dropped = []

    async def scenario() -> None:
        one = connection(postgres, database)
        pid = await one.read(lambda plain: plain.fetchval("SELECT pg_backend_pid()"))
        assert one.plain is not None
        transport = one.plain._transport
        transport.set_protocol(Interrupted(transport.get_protocol(), lambda: dropped.append(one.drop())))
        assert await one.read(lambda plain: plain.fetchval("SELECT pg_backend_pid() -- another statement")) != pid
        await one.close()

    run(scenario())
    assert dropped == [None]


class Ending(KnownLog):
    """Has PostgreSQL end the first connection when all is asked that is asked of a new one."""

    ended = 0

    async def objection(self, plain: Plain) -> Objection | None:
        """Wait until the connection is lost."""
        if not self.ended:
            self.ended += 1
            with suppress(Exception):
                await plain.fetchval(KILL)
            await until(plain.is_closed, "the connection ends")
        return None


@on_both_loops
def test_ended_as_soon_as_it_is_open(postgres: Postgres, database: str, run: Run) -> None:
    """Where PostgreSQL ends a connection that was just made, the next host is tried."""
    known = Ending()

    async def scenario() -> None:
        option = postgres.conninfo(database, host="127.0.0.1,localhost", port=f"{postgres.port},{postgres.port}")
        plain = await Connector(read_target(option, {}), known=known)()
        assert await plain.fetchval("SELECT 1") == 1
        await plain.close()

    run(scenario())
    assert known.ended == 1


class Limited:
    """Way to PostgreSQL on which answers end in the middle, after so many bytes."""

    def __init__(self, port: int) -> None:
        """Stand before the server on this port."""
        self._port = port
        self.left = 0
        self.said = 0
        """Bytes of all answers so far."""
        self.served = 0
        """How many have come."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass on what both say, until it is enough."""
        self.served += 1
        back, there = await asyncio.open_connection("127.0.0.1", self._port)
        asking = asyncio.create_task(self._ask(reader, there))
        with suppress(OSError):
            while self.left > 0 and (data := await back.read(1 << 16)):
                writer.write(data[: self.left])
                self.said += len(data)
                self.left -= len(data)
        if self.said % 2:
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        for each in (writer, there):
            each.close()
        await asyncio.wait([asking])

    async def _ask(self, reader: asyncio.StreamReader, there: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(1 << 16):
                there.write(data)
        there.close()


@on_both_loops
def test_cut_anywhere(postgres: Postgres, database: str, run: Run) -> None:
    """Wherever the conversation with PostgreSQL is cut, who asked is told that the store is unavailable."""

    async def ask(plain: Plain) -> None:
        assert await plain.fetchval("SELECT sum(n) FROM generate_series(1, $1::int) AS each (n)", 4) == 10
        assert await plain.fetchrow("SELECT array_agg(n) FROM generate_series(1, 900) AS each (n)") is not None

    async def scenario() -> None:
        way = Limited(postgres.port)
        async with await asyncio.start_server(way.serve, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]

            async def converse(left: int) -> None:
                way.left = left
                _known_types.clear()  # so each conversation is as long as the first one
                one = connection(postgres, database, port=port)
                try:
                    await one.run(ask)
                finally:
                    await one.close()

            await converse(1 << 30)
            for place in random.Random(1).sample(range(1, way.said), PLACES):
                with pytest.raises(StoreUnavailable):
                    await converse(place)
            await converse(1 << 30)
        assert way.served == PLACES + 2

    run(scenario())
