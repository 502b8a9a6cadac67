"""Retries: growing pauses with jitter, and repeated attempts while the store fails."""

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
    """Return the seconds to wait after a failure: twice as long after each of the ``failures`` before, up to a limit.

    Up to half of it is left out at random, so that clients that failed together do not come back together.
    """
    most = min(first * 2 ** min(failures, _DOUBLINGS), longest)
    return random.uniform(most / 2, most)  # noqa: S311 - no secret


async def patiently(act: Callable[[], Awaitable[Result]], pauses: Sequence[float]) -> Result:
    """Call ``act``, and again after each pause while it raises StoreError; the last attempt may raise it."""
    for pause in pauses:
        try:
            return await act()
        except StoreError:
            await asyncio.sleep(pause)
    return await act()
