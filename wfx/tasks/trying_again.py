"""How long to wait before something that failed is tried once more, and how often."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from wfx.domain.errors import StoreError

_DOUBLINGS = 16
"""How often a pause is doubled at most, so that no number of failures is too large for it."""
Result = TypeVar("Result")


def growing_pause(failures: int, first: float, longest: float) -> float:
    """Return the seconds to wait after so many failures before this one: twice as long each time, up to the longest.

    Up to half of it is left out by chance, so that those that failed together do not come back together.
    """
    most = min(first * 2 ** min(failures, _DOUBLINGS), longest)
    return random.uniform(most / 2, most)  # noqa: S311 - no secret


async def patiently(act: Callable[[], Awaitable[Result]], pauses: Sequence[float]) -> Result:
    """Do something, once more after each of these pauses while the store fails; raises what the last attempt does."""
    for pause in pauses:
        try:
            return await act()
        except StoreError:
            await asyncio.sleep(pause)
    return await act()
