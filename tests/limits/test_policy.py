"""Limits as options have them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wfx.commandline import iso_durations
from wfx.limits.asks import LimitScope, bucket_key
from wfx.limits.bucket import Band
from wfx.limits.policy import (
    LONGEST_PERIOD,
    MOST_TOKENS,
    Kind,
    Policy,
    parse_band,
    parse_bands,
    parse_duration,
    shown,
)


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("PT1M", 60_000),
        ("PT1H30M", 5_400_000),
        ("P1DT0.25S", 86_400_250),
        ("P1W", 604_800_000),
        ("PT90S", 90_000),
        ("PT0,5S", 500),
        ("PT1.5M", 90_000),
        ("P0.5D", 43_200_000),
    ],
)
def test_durations(text: str, milliseconds: int) -> None:
    """A duration in ISO 8601 reads as such."""
    assert parse_duration(text) == milliseconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "P",
        "PT",
        "1M",
        "P1M",
        "P1Y",
        "PT1",
        "P1DT",
        "PT0S",
        "P367D",
        "PT1.2345S",
        "PT1.5M1S",
        "PT" + "9" * 5000 + "S",
        "-P1D",
    ],
)
def test_no_durations(text: str) -> None:
    """Anything else is refused, also months and years, which have no fixed length."""
    with pytest.raises(ValueError, match=r"ISO 8601|must be more than 0"):
        parse_duration(text)


@given(
    scope=st.sampled_from([*LimitScope][:3]),
    capacity=st.integers(1, MOST_TOKENS),
    period=st.integers(1, LONGEST_PERIOD),
)
def test_written_and_read(scope: LimitScope, capacity: int, period: int) -> None:
    """A limit that was written reads as it was."""
    assert parse_band(shown(scope, Band(capacity, period))) == (scope, Band(capacity, period))
    assert parse_duration(iso_durations.show(period * 1000)) == period


@pytest.mark.parametrize(
    ("items", "fault"),
    [
        (["20"], "a number, a slash and a duration"),
        (["0/PT1M"], "must be from 1 to"),
        (["100000001/PT1M"], "must be from 1 to"),
        (["device=1/PT1M"], "none of global, client, workflow"),
        (["1/PT1M", "2/PT60S"], "second limit of global for the same duration"),
        ([f"1/PT{n}S" for n in range(1, 10)], "one limit too many"),
    ],
)
def test_refused(items: list[str], fault: str) -> None:
    """A limit that cannot be is refused with what is wrong with it."""
    with pytest.raises(ValueError, match=fault):
        parse_bands(items)


def test_buckets_of_work() -> None:
    """Work needs a token of the bucket of each scope; that of a client who is not known is left out."""
    policy = Policy.parse({Kind.INSTANCE_START: ["workflow=1/PT1M", "5/PT1M", "client=2/PT1M", "9/PT1H"]})
    scopes = [LimitScope.GLOBAL, LimitScope.CLIENT, LimitScope.WORKFLOW]
    assert [ask.scope for ask in policy.asks(Kind.INSTANCE_START, "press-7", "dau")] == scopes
    assert [ask.scope for ask in policy.asks(Kind.INSTANCE_START, "", "dau")] == [
        LimitScope.GLOBAL,
        LimitScope.WORKFLOW,
    ]
    assert policy.asks(Kind.JOB_EXECUTE, "press-7", "dau") == ()


@given(st.text(max_size=3000))
def test_keys_are_bounded(name: str) -> None:
    """The key of a bucket is printable and short, whatever the client is called."""
    key = bucket_key(Kind.ACTIVITY_START, LimitScope.CLIENT, name)
    assert len(key) < 300
    assert key.isprintable()


@pytest.mark.parametrize("name", ["x" * 5000, "a\0b", "\ud800", "a\nb"])
def test_keys_of_odd_names(name: str) -> None:
    """Whatever a client is called, or a proxy passes for an address, the key of its bucket is short text."""
    key = bucket_key("requests", LimitScope.ADDRESS, name)
    assert key.isprintable()
    assert len(key) < 100
    assert key == bucket_key("requests", LimitScope.ADDRESS, name)
    assert key != bucket_key("requests", LimitScope.ADDRESS, name + "x")
