"""Connection of the driver that knows the types of PostgreSQL itself once one of its kind has asked for them."""

from __future__ import annotations

from typing import Any, NamedTuple

import asyncpg

_FIRST_OF_OTHERS = 10_000
"""From this number on types may have other numbers in another database; those below are the same in every one."""


class _NoStatement(NamedTuple):
    """What the driver is told was asked: it need not prepare anything anew."""

    name: str = "none"


_known: dict[frozenset[int], Any] = {}


class DriverConnection(asyncpg.Connection):  # type: ignore[misc]
    """Asks for types as arrays of numbers once, and not for each connection: that takes longer than most statements."""

    async def _introspect_types(self, typeoids: set[int], timeout: float | None) -> tuple[Any, Any]:  # noqa: ASYNC109
        wanted = frozenset(typeoids)
        if wanted in _known:
            return _known[wanted], _NoStatement()
        found, statement = await super()._introspect_types(typeoids, timeout)
        if max(wanted) < _FIRST_OF_OTHERS:
            _known[wanted] = found
        return found, statement
