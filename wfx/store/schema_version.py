"""Versions of a database's tables that a program does not know, in the same words for every kind of storage."""

from __future__ import annotations

from wfx.domain.errors import StoreUnusable

_ADVICE = "use a newer program, or restore a backup made before the upgrade"


def newer(name: str, present: int, latest: int, oldest: int | None = None, *, advice: str = _ADVICE) -> StoreUnusable:
    """Say that the tables of the database with this name are of a newer program.

    ``oldest`` is the version that a program has to know if not the present one, and ``advice`` what to do.
    """
    needed = "" if oldest is None else f", which needs a program that knows {oldest} at least"
    return StoreUnusable(
        f"the database {name} has schema version {present}{needed}, but this program knows only up to {latest}; "
        f"{advice}"
    )


def older(name: str, present: int, latest: int) -> StoreUnusable:
    """Say that they are of an older one, and were not upgraded yet."""
    return StoreUnusable(
        f"the database {name} has schema version {present}, and this program needs {latest}; "
        "start the server on it once"
    )
