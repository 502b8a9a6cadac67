"""Buckets: how many tokens they give, and when these come back, one by one or in steps."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from pyrate_limiter import InMemoryStateStore, Rate, RateItem, StateBucket, TokenBucket

from wfx.limits.bucket import FULL, Band, full_at, give_back, left, missing, take, wait_for

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


WINDOW = Band(100, MINUTE, 100)


def taken_at(band: Band, *moments: int) -> list[bool]:
    """Whether there was a token at each of these moments."""
    bucket, passed = FULL, []
    for now in moments:
        bucket, wait = take(bucket, (band,), now)
        passed.append(not wait)
    return passed


def test_the_first_window() -> None:
    """However the requests of the first minute are spread, 100 pass and the 101st does not."""
    assert taken_at(WINDOW, *[0] * 101) == [True] * 100 + [False]
    assert taken_at(WINDOW, *(number * 590 for number in range(101))) == [True] * 100 + [False]


def test_filled_up_exactly() -> None:
    """A moment before the window ends nothing is back; when it ends, all 100 are, and no more."""
    times = [7_000] * 100 + [66_999] + [67_000] * 101
    assert taken_at(WINDOW, *times) == [True] * 100 + [False] + [True] * 100 + [False]


def test_the_next_window_begins_when_it_is_used() -> None:
    """After a pause of any length a full minute begins with the first request."""
    times = [0] * 100 + [1_000_000] + [1_059_999] * 100 + [1_060_000] * 101
    assert taken_at(WINDOW, *times) == [True] * 101 + [True] * 99 + [False] + [True] * 100 + [False]


def test_a_refusal_changes_nothing() -> None:
    """Who goes on asking does not wait longer, and is told how long."""
    bucket = take(FULL, (WINDOW,), 0, 100).bucket
    assert take(bucket, (WINDOW,), 12_500) == (bucket, 47_500)
    assert take(bucket, (WINDOW,), 59_500) == (bucket, 500)


def test_a_burst_comes_back_slowly() -> None:
    """With a burst of 50, 150 pass at once; a minute later 100 are back, after a quiet minute more all 150."""
    band = Band(150, MINUTE, 100)
    assert sum(taken_at(band, *[0] * 200)) == 150
    assert sum(taken_at(band, *[0] * 150, *[MINUTE] * 150)) == 250
    assert sum(taken_at(band, *[0] * 150, *[2 * MINUTE] * 200)) == 300


def test_when_steps_fill_a_bucket() -> None:
    """A bucket is full again when as many windows have passed as its missing tokens need."""
    band = Band(150, MINUTE, 100)
    assert [full_at(take(FULL, (band,), 5, cost).bucket, (band,)) for cost in (1, 100, 101)] == [
        5 + MINUTE, 5 + MINUTE, 5 + 2 * MINUTE,
    ]  # fmt: skip


def test_another_window() -> None:
    """A higher limit is there at once; under a lower one nothing is left until enough windows have passed."""
    bucket = take(FULL, (WINDOW,), 0, 100).bucket
    assert take(bucket, (Band(150, MINUTE, 150),), 1_000).wait == 0
    assert take(bucket, (Band(10, MINUTE, 10),), 1_000).wait == 10 * MINUTE - 1_000
    assert take(bucket, (Band(60, MINUTE, 60),), 1_000).wait == 59_000


def test_a_longer_window() -> None:
    """What was used stays used when the window is made longer or shorter, and so does when it began."""
    bucket = take(FULL, (WINDOW,), 0, 100).bucket
    assert take(bucket, (Band(100, 2 * MINUTE, 100),), 50_000).wait == 70_000
    assert take(bucket, (Band(100, MINUTE // 2, 100),), 20_000).wait == 10_000
    assert take(bucket, (Band(100, MINUTE // 2, 100),), 50_000).wait == 0


class Windows:
    """A bucket of whole windows, told by counting."""

    def __init__(self, band: Band) -> None:
        self._band = band
        self._since, self._used = 0, 0

    def take(self, now: int) -> int:
        """Return the wait."""
        while self._used and now - self._since >= self._band.period:
            self._used = max(self._used - self._band.step, 0)
            self._since += self._band.period
        if not self._used:
            self._since = now
        if self._used < self._band.capacity:
            self._used += 1
            return 0
        return self._since + self._band.period - now


@given(
    limit=st.integers(1, 5),
    burst=st.integers(0, 12),
    period=st.sampled_from([60, 120]),
    pauses=st.lists(st.integers(0, 130), max_size=60),
)
def test_as_whole_windows(limit: int, burst: int, period: int, pauses: list[int]) -> None:
    """Whatever is taken and when, as much passes as in windows that are counted, and what does not waits as long."""
    band = Band(limit + burst, period, limit)
    bucket, now, counted = FULL, 0, Windows(band)
    for pause in pauses:
        now += pause
        bucket, wait = take(bucket, (band,), now)
        assert wait == counted.take(now)
        assert 0 <= left(bucket, now, band) <= band.capacity
        assert full_at(bucket, (band,)) > now


@given(fast=CAPACITIES, slow=CAPACITIES, before=STEPS, passed=st.integers(0, 10_000), kept=st.integers(0, 5_000))
def test_what_is_given_back(fast: int, slow: int, before: list[tuple[int, int]], passed: int, kept: int) -> None:
    """After a token was taken and given back, at once or later, a bucket has what it would have had without that."""
    bands, now, bucket = (Band(fast, 500), Band(slow, 7_000)), 0, FULL
    for wait, _ in before:
        now += wait
        bucket = take(bucket, bands, now).bucket
    now += passed
    bucket_without, (taken, wait) = bucket, take(bucket, bands, now)
    if wait:
        return
    now += kept
    returned = give_back(taken, bands, now)
    assert [*missing(returned, bands, now)] == [*missing(bucket_without, bands, now)]


def test_steps_are_given_back() -> None:
    """A token of a band in steps that is given back can be taken once more; the period goes on from the first one."""
    band = Band(3, MINUTE, 3)
    bucket = FULL
    for _ in range(3):
        bucket, wait = take(bucket, (band,), 5_000)
        assert wait == 0
    bucket = give_back(bucket, (band,), 6_000)
    bucket, wait = take(bucket, (band,), 7_000)
    assert wait == 0
    assert take(bucket, (band,), 7_000).wait == 5_000 + MINUTE - 7_000
    assert give_back(FULL, (band,), 0) == ({MINUTE: 0}, 0)
