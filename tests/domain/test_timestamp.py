from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wfx.domain.timestamp import Timestamp, rfc3339, rfc3339_millis

START = datetime(1970, 1, 1, tzinfo=UTC)
moments = st.integers(0, 253_402_300_799_999_999).map(Timestamp)
"""Any microsecond from 1970 to the end of the year 9999."""


@pytest.mark.parametrize(
    ("moment", "text", "millis"),
    [
        (0, "1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000Z"),
        (1, "1970-01-01T00:00:00.000001Z", "1970-01-01T00:00:00.000Z"),
        (1_782_892_800_120_000, "2026-07-01T08:00:00.12Z", "2026-07-01T08:00:00.120Z"),
        (1_782_892_800_999_999, "2026-07-01T08:00:00.999999Z", "2026-07-01T08:00:00.999Z"),
        (1_782_892_810_000_000, "2026-07-01T08:00:10Z", "2026-07-01T08:00:10.000Z"),
    ],
)
def test_moment_is_written(moment: int, text: str, millis: str) -> None:
    """A moment shows up to six digits of a second without trailing zeros; that of an event always three."""
    assert rfc3339(Timestamp(moment)) == text
    assert rfc3339_millis(Timestamp(moment)) == millis


@given(moments)
def test_moment_survives_its_text(moment: Timestamp) -> None:
    """The text of a moment, read as RFC 3339, is that moment to the microsecond."""
    text = rfc3339(moment)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{0,5}[1-9])?Z", text)
    assert datetime.fromisoformat(text) - START == timedelta(microseconds=moment)


@given(moments)
def test_event_time_is_the_millisecond_begun(moment: Timestamp) -> None:
    """The text of an event's time has milliseconds, rounded down."""
    text = rfc3339_millis(moment)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", text)
    assert datetime.fromisoformat(text) - START == timedelta(milliseconds=moment // 1000)
