"""The driver's connection, which tells in one way that it was lost, whatever the driver raises then.

Where a connection ends in the middle of what the driver does, it stumbles over what is gone already: its own protocol,
or the event loop's socket. What comes of that looks like an error of the program: an AttributeError, a ValueError. All
connections of the store are of this kind, so :func:`wfx.store.postgres.faults.translate` knows what is lost.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, NamedTuple, TypeVar

import asyncpg

from wfx.store.postgres.faults import LOST

Result = TypeVar("Result")

_FIRST_OF_OTHERS = 10_000
"""From this number on types may have other numbers in another database; those below are the same in every one."""
_known_types: dict[frozenset[int], Any] = {}
"""What PostgreSQL has told this process of its own types, which the driver would ask for by each connection."""


class _NoStatement(NamedTuple):
    """Tells the driver that nothing was asked, so that it need not prepare its statement anew."""

    name: str = "none"


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
    """A connection whose statements tell that it is lost, and which asks for PostgreSQL's types if no other one has."""

    __slots__ = ()

    fetch = _tells(asyncpg.Connection.fetch)
    fetchrow = _tells(asyncpg.Connection.fetchrow)
    fetchval = _tells(asyncpg.Connection.fetchval)
    execute = _tells(asyncpg.Connection.execute)
    executemany = _tells(asyncpg.Connection.executemany)
    copy_records_to_table = _tells(asyncpg.Connection.copy_records_to_table)

    async def _introspect_types(self, typeoids: set[int], timeout: float | None) -> tuple[Any, Any]:  # noqa: ASYNC109
        wanted = frozenset(typeoids)
        if wanted in _known_types:
            return _known_types[wanted], _NoStatement()
        found, statement = await super()._introspect_types(typeoids, timeout)
        if max(wanted) < _FIRST_OF_OTHERS:
            _known_types[wanted] = found
        return found, statement
