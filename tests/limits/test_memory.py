"""Buckets in memory: all or none, and how many there are."""

from __future__ import annotations

from wfx.limits.asks import Ask, LimitScope, Shortage
from wfx.limits.bucket import Band
from wfx.limits.memory import MOST, MemoryBuckets

MINUTE = 60_000


def asks(client: str, *, of_all: int = 1000, of_each: int = 2) -> list[Ask]:
    """What work for a client needs tokens of."""
    return [
        Ask("all", LimitScope.GLOBAL, (Band(of_all, MINUTE),)),
        Ask(f"client {client}", LimitScope.CLIENT, (Band(of_each, MINUTE),)),
    ]


def test_all_or_none() -> None:
    """Who finds one bucket empty takes no token of another one either."""
    buckets = MemoryBuckets(lambda: 0)
    shortage = Shortage(30_000, LimitScope.CLIENT)
    assert [buckets.take(asks("a", of_all=3)) for _ in range(4)] == [None, None, shortage, shortage]
    assert buckets.take(asks("b", of_all=3)) is None
    assert buckets.take(asks("b", of_all=3)) == Shortage(20_000, LimitScope.GLOBAL)


def test_given_back() -> None:
    """What is given back is there for others, in each bucket; a bucket that is full, or forgotten, has no more."""
    buckets = MemoryBuckets(lambda: 0)
    buckets.give_back(asks("a"))
    assert len(buckets) == 0
    assert [buckets.take(asks("a", of_all=2, of_each=1)) is None for _ in range(2)] == [True, False]
    buckets.give_back(asks("a", of_all=2, of_each=1))
    buckets.give_back(asks("a", of_all=2, of_each=1))
    assert [buckets.take(asks(client, of_all=2, of_each=1)) is None for client in "aab"] == [True, False, True]
    assert buckets.take(asks("c", of_all=2)) == Shortage(30_000, LimitScope.GLOBAL)


def test_bounded() -> None:
    """However many clients come, only so many buckets are kept; the one used longest ago is forgotten."""
    buckets = MemoryBuckets(lambda: 0, most=100)
    for number in range(500):
        assert buckets.take(asks(f"{number}")) is None
        assert len(buckets) <= 100
    assert [buckets.take(asks("499")), buckets.take(asks("499"))] == [None, Shortage(30_000, LimitScope.CLIENT)]


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


def requests(address: str, limit: int = 1, window: int = MINUTE) -> list[Ask]:
    """What a request from an address needs a token of."""
    return [Ask(address, LimitScope.ADDRESS, (Band(limit, window, limit),))]


def test_very_many_addresses() -> None:
    """However many addresses ask, at most 100,000 are remembered; the one that asked longest ago is forgotten first."""
    buckets = MemoryBuckets(lambda: 1_000_000)
    most = 0
    for number in range(300_000):
        buckets.take(requests(str(number)))
        most = max(most, len(buckets))
    assert most == len(buckets) == MOST == 100_000
    assert buckets.take(requests("299999")) is not None, "this one is remembered"
    assert buckets.take(requests("200000")) is not None, "and the oldest of the last 100,000"
    assert buckets.take(requests("199999")) is None, "but not the one before"


def test_who_asks_is_remembered() -> None:
    """Of two addresses the one that asked longer ago is forgotten, whichever window began first."""
    now = [0]
    buckets = MemoryBuckets(lambda: now[0], most=2)
    for key in ("a", "b", "a", "c"):
        now[0] += 1000
        assert buckets.take(requests(key, limit=2)) is None
    assert buckets.take(requests("a", limit=2)) is not None, "it was remembered"


def test_who_is_refused_is_remembered() -> None:
    """Who goes on asking in vain is not forgotten as one who asked long ago."""
    buckets = MemoryBuckets(lambda: 0, most=2)
    for key in ("a", "b", "a", "c"):
        buckets.take(requests(key))
    assert buckets.take(requests("a")) is not None


def test_full_windows_are_forgotten() -> None:
    """When the crowd has gone, each new address makes room of two."""
    now = [0]
    buckets = MemoryBuckets(lambda: now[0])
    for number in range(1000):
        buckets.take(requests(str(number), limit=2))
    now[0] = MINUTE
    for number in range(100):
        buckets.take(requests(f"new {number}", limit=2))
    assert len(buckets) == 1000 - 200 + 100
