"""Buckets: how many tokens they give, and when these come back."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from pyrate_limiter import InMemoryStateStore, Rate, RateItem, StateBucket, TokenBucket

from wfx.limits.bucket import FULL, Band, full_at, left, take, wait_for

MINUTE, HOUR = 60_000, 3_600_000
BANDS = (Band(20, MINUTE), Band(200, HOUR))


def test_two_bands() -> None:
    """Of 20/PT1M and 200/PT1H twenty pass, the next waits for three seconds, and then exactly one passes."""
    bucket = FULL
    for _ in range(20):
        bucket, wait = take(bucket, BANDS, 5_000)
        assert wait == 0
    assert take(bucket, BANDS, 5_000) == (bucket, 3_000)
    assert take(bucket, BANDS, 7_999) == (bucket, 1)
    bucket, wait = take(bucket, BANDS, 8_000)
    assert wait == 0
    assert take(bucket, BANDS, 8_000).wait == 3_000
    assert [left(bucket, 8_000, band) for band in BANDS] == [0, 179]


def test_the_longest_wait() -> None:
    """If several bands lack tokens the one that takes longest tells the wait."""
    bands = (Band(1, MINUTE), Band(2, HOUR))
    bucket = take(take(FULL, bands, 0).bucket, bands, MINUTE).bucket
    assert take(bucket, bands, MINUTE).wait == HOUR // 2 - MINUTE
    assert [wait_for(bucket, MINUTE, band) for band in bands] == [MINUTE, HOUR // 2 - MINUTE]
    assert full_at(bucket, bands) == HOUR


def test_another_capacity() -> None:
    """A band whose capacity is changed keeps what was taken of it; one with another period is full."""
    bucket = take(FULL, (Band(10, MINUTE),), 0, 8).bucket
    assert left(bucket, 0, Band(30, MINUTE)) == 22
    assert left(bucket, 0, Band(5, MINUTE)) == 0
    assert left(bucket, 0, Band(5, HOUR)) == 5


def test_a_clock_that_goes_back() -> None:
    """A clock that goes back gives no tokens, and from then on they come back as fast as before."""
    bands = (Band(1, MINUTE),)
    bucket = take(FULL, bands, HOUR).bucket
    bucket, wait = take(bucket, bands, 0)
    assert wait == MINUTE
    assert take(bucket, bands, MINUTE - 1).wait == 1
    assert take(bucket, bands, MINUTE).wait == 0


CAPACITIES = st.integers(1, 30)
STEPS = st.lists(st.tuples(st.integers(0, 4_000), st.integers(1, 3)), max_size=60)


@given(fast=CAPACITIES, slow=CAPACITIES, interval=st.integers(1, 500), slower=st.integers(1, 20), steps=STEPS)
def test_as_another_implementation(
    fast: int, slow: int, interval: int, slower: int, steps: list[tuple[int, int]]
) -> None:
    """Whatever is taken and when, as much passes as with pyrate-limiter, and what does not waits as long."""
    bands = (Band(fast, fast * interval), Band(fast + slow, (fast + slow) * (interval + slower)))
    other = StateBucket([Rate(band.capacity, band.period) for band in bands], TokenBucket(), InMemoryStateStore())
    bucket, now = FULL, 1_000_000
    for passed, wanted in steps:
        now += passed
        cost = min(wanted, fast)
        item = RateItem("key", now, weight=cost)
        passes = other.put(item)
        bucket, wait = take(bucket, bands, now, cost)
        assert (wait == 0) is passes
        if wait:
            assert wait == other.waiting(item)
