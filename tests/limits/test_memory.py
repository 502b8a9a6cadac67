"""Buckets in memory: all or none, and how many there are."""

from __future__ import annotations

from wfx.limits.bucket import Band
from wfx.limits.memory import MemoryBuckets, Wait
from wfx.limits.policy import Ask, Scope

MINUTE = 60_000


def asks(client: str, *, of_all: int = 1000, of_each: int = 2) -> list[Ask]:
    """What work for a client needs tokens of."""
    return [
        Ask("all", Scope.GLOBAL, (Band(of_all, MINUTE),)),
        Ask(f"client {client}", Scope.CLIENT, (Band(of_each, MINUTE),)),
    ]


def test_all_or_none() -> None:
    """Who finds one bucket empty takes no token of another one either."""
    buckets = MemoryBuckets(lambda: 0)
    assert [buckets.take(asks("a", of_all=3)) for _ in range(4)] == [None] * 2 + [Wait(30_000, Scope.CLIENT)] * 2
    assert buckets.take(asks("b", of_all=3)) is None
    assert buckets.take(asks("b", of_all=3)) == Wait(20_000, Scope.GLOBAL)


def test_bounded() -> None:
    """However many clients come, only so many buckets are kept; the one used longest ago is forgotten."""
    buckets = MemoryBuckets(lambda: 0, most=100)
    for number in range(500):
        assert buckets.take(asks(f"{number}")) is None
        assert len(buckets) <= 100
    assert [buckets.take(asks("499")), buckets.take(asks("499"))] == [None, Wait(30_000, Scope.CLIENT)]


def test_full_ones_make_room() -> None:
    """Buckets that are full again are forgotten as others come, though there is room."""
    now = [0]
    buckets = MemoryBuckets(lambda: now[0])
    for number in range(50):
        buckets.take(asks(f"{number}"))
    now[0] = 10 * MINUTE
    for number in range(50, 80):
        buckets.take(asks(f"{number}"))
    assert len(buckets) < 40
