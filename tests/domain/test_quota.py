"""Buckets of tokens, by a clock that the test sets."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from wfx.domain.quota import Bucket, Quota

MINUTE = Quota(limit=100, window=60.0)


def taken_at(quota: Quota, *moments: float) -> list[bool]:
    """Whether there was a token at each of these moments."""
    bucket = Bucket(moments[0])
    return [bucket.take(quota, now) is None for now in moments]


def test_the_first_window() -> None:
    """However the requests of the first minute are spread, 100 pass and the 101st does not."""
    assert taken_at(MINUTE, *[0.0] * 101) == [True] * 100 + [False]
    assert taken_at(MINUTE, *(number * 0.59 for number in range(101))) == [True] * 100 + [False]


def test_filled_up_exactly() -> None:
    """A moment before the window ends nothing is back; when it ends, all 100 are, and no more."""
    times = [7.0] * 100 + [66.999] + [67.0] * 101
    assert taken_at(MINUTE, *times) == [True] * 100 + [False] + [True] * 100 + [False]


def test_the_next_window_begins_when_it_is_used() -> None:
    """After a pause of any length a full minute begins with the first request."""
    bucket = Bucket(since=0.0, used=100)
    assert bucket.take(MINUTE, 1000.0) is None
    assert bucket == Bucket(since=1000.0, used=1)


def test_a_refusal_changes_nothing() -> None:
    """Who goes on asking does not wait longer, and is told how long."""
    bucket = Bucket(since=0.0, used=100)
    assert bucket.take(MINUTE, 12.5) == 47.5
    assert bucket.take(MINUTE, 59.5) == 0.5
    assert bucket == Bucket(since=0.0, used=100)


def test_a_refusal_just_before_the_window_ends() -> None:
    """A refusal is one also where the time to wait is so short that it rounds to nothing."""
    began = 5.000000000000004
    bucket = Bucket(since=began, used=100)
    assert bucket.take(MINUTE, 65.0) == 0.0
    assert bucket == Bucket(since=began, used=100)


def test_a_burst_comes_back_slowly() -> None:
    """With a burst of 50, 150 pass at once; a minute later 100 are back, after a quiet minute more all 150."""
    quota = Quota(limit=100, window=60.0, burst=50)
    assert sum(taken_at(quota, *[0.0] * 200)) == 150
    assert sum(taken_at(quota, *[0.0] * 150, *[60.0] * 150)) == 250
    assert sum(taken_at(quota, *[0.0] * 150, *[120.0] * 200)) == 300


def test_what_need_not_be_stored() -> None:
    """A bucket is full again when as many windows have passed as its missing tokens need."""
    quota = Quota(limit=100, window=60.0, burst=50)
    assert not Bucket(0.0, 101).is_full(quota, 60.0)
    assert Bucket(0.0, 101).is_full(quota, 120.0)
    assert Bucket(0.0, 100).is_full(quota, 60.0)
    assert not Bucket(0.0, 1).is_full(quota, 59.9)


def test_another_quota() -> None:
    """A higher limit is there at once; under a lower one nothing is left until the window ends."""
    bucket = Bucket(0.0, 100)
    assert bucket.take(Quota(150, 60.0), 1.0) is None
    assert bucket.take(Quota(10, 60.0), 1.0) == 59.0


@given(
    quota=st.builds(Quota, st.integers(1, 5), st.sampled_from([60.0, 120.0]), st.integers(0, 3)),
    pauses=st.lists(st.integers(0, 130), max_size=60),
)
def test_never_more_than_the_quota(quota: Quota, pauses: list[int]) -> None:
    """In n windows that follow each other, at most a full bucket and n times the limit pass."""
    now, bucket, passed = 0.0, Bucket(0.0), 0
    for pause in pauses:
        now += pause
        passed += bucket.take(quota, now) is None
        assert 0 <= bucket.used <= quota.size
        assert passed <= quota.size + int(now / quota.window) * quota.limit
