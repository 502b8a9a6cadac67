"""Takes as many items as there is room for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

Item = TypeVar("Item")


def fitting(
    items: Iterable[Item], size: Callable[[Item], int], room: int, *, at_least: int = 0
) -> tuple[list[Item], Item | None]:
    """Return the first items that fit into ``room``, and the next one; None if all fit.

    The first ``at_least`` items are taken however large they are.
    """
    taken: list[Item] = []
    for item in items:
        room -= size(item)
        if room < 0 and len(taken) >= at_least:
            return taken, item
        taken.append(item)
    return taken, None
