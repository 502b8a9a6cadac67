"""As many of some rows as there is room for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

Item = TypeVar("Item")


def fitting(
    items: Iterable[Item], size: Callable[[Item], int], room: int, *, at_least: int = 0
) -> tuple[list[Item], Item | None]:
    """Take items until the next would be too much, and return them and that one; None if there is none.

    ``at_least`` so many are taken however large they are.
    """
    taken: list[Item] = []
    for item in items:
        room -= size(item)
        if room < 0 and len(taken) >= at_least:
            return taken, item
        taken.append(item)
    return taken, None
