"""The driver's connection, which tells in one way that it was lost, whatever the driver raises then.

Where a connection ends in the middle of what the driver does, it stumbles over what is gone already: its own protocol,
or the event loop's socket. What comes of that looks like an error of the program: an AttributeError, a ValueError. All
connections of the store are of this kind, so :func:`wfx.store.postgres.faults.translate` knows what is lost.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, TypeVar

import asyncpg

from wfx.store.postgres.faults import LOST

Result = TypeVar("Result")


@contextmanager
def telling_loss(connection: asyncpg.Connection) -> Iterator[None]:
    """Raise ConnectionDoesNotExistError for whatever fails since the connection is lost and nobody says so."""
    try:
        yield
    except (asyncpg.PostgresError, *LOST):
        raise
    except Exception as exc:
        if connection.is_closed():
            raise asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation") from exc
        raise


def _tells(method: Callable[..., Awaitable[Result]]) -> Callable[..., Awaitable[Result]]:
    """Have a method of the driver's connection tell that it is lost."""

    @wraps(method)
    async def telling(self: asyncpg.Connection, *arguments: Any, **settings: Any) -> Result:
        with telling_loss(self):
            return await method(self, *arguments, **settings)

    return telling


class DriverConnection(asyncpg.Connection):  # type: ignore[misc]  # the driver has no types
    """A connection whose statements tell that it is lost."""

    __slots__ = ()

    fetch = _tells(asyncpg.Connection.fetch)
    fetchrow = _tells(asyncpg.Connection.fetchrow)
    fetchval = _tells(asyncpg.Connection.fetchval)
    execute = _tells(asyncpg.Connection.execute)
    executemany = _tells(asyncpg.Connection.executemany)
    copy_records_to_table = _tells(asyncpg.Connection.copy_records_to_table)
