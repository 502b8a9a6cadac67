"""Trying again: how long is waited, and how often something is done."""

from __future__ import annotations

from itertools import pairwise

import pytest

from wfx.domain.errors import StoreUnavailable
from wfx.tasks.trying_again import growing_pause, patiently


def test_pauses_grow() -> None:
    """A pause is twice as long after each failure, up to the longest, and half of it at least; any number may fail."""
    for failures, most in ((0, 0.5), (1, 1.0), (4, 8.0), (5, 10.0), (20, 10.0), (10**6, 10.0)):
        found = [growing_pause(failures, 0.5, 10.0) for _ in range(100)]
        assert most / 2 <= min(found)
        assert max(found) <= most
        assert any(first != second for first, second in pairwise(found))


@pytest.mark.parametrize("failures", [0, 2, 3])
async def test_a_store_that_fails(failures: int) -> None:
    """What the store fails at is done until it succeeds, once more than there are pauses at most."""
    left, attempts = failures, 0

    async def act() -> str:
        nonlocal left, attempts
        attempts += 1
        if left:
            left -= 1
            raise StoreUnavailable("away")
        return "done"

    if failures < 3:
        assert await patiently(act, (0.0, 0.0)) == "done"
        assert attempts == failures + 1
    else:
        with pytest.raises(StoreUnavailable):
            await patiently(act, (0.0, 0.0))
        assert attempts == 3


async def test_other_errors() -> None:
    """Nothing else is tried again."""
    attempts = 0

    async def act() -> None:
        nonlocal attempts
        attempts += 1
        raise ValueError("no store's")

    with pytest.raises(ValueError, match="no store's"):
        await patiently(act, (0.0, 0.0))
    assert attempts == 1
