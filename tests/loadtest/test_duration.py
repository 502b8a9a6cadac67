from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wfx_loadtest import duration


@pytest.mark.parametrize(("text", "nanoseconds"), [
    ("300ms", 300_000_000), ("1.5s", 1_500_000_000), ("1m30s", 90_000_000_000), ("2h45m", 9_900_000_000_000),
    (".5s", 500_000_000), ("1.s", 1_000_000_000), ("7us", 7_000), ("7µs", 7_000), ("7μs", 7_000), ("3ns", 3),
    ("0", 0), ("+2s", 2_000_000_000), ("-2s", -2_000_000_000),
])
def test_durations_are_read_as_go_writes_them(text: str, nanoseconds: int) -> None:
    """Every unit and every combination that the flags of the other programs take is taken."""
    assert duration.parse(text) == nanoseconds


@pytest.mark.parametrize("text", ["", "10", "s", "1m-3s", "1 s", "abc", "1.5", "--1s", "1d", "5m 3s"])
def test_what_is_no_duration_is_refused_with_an_example(text: str) -> None:
    """A number without a unit, or any other text, is refused, and the message shows how it is done."""
    with pytest.raises(ValueError, match="such as 300ms, 10s or 1m30s"):
        duration.parse(text)


@given(st.integers(min_value=-(10**16), max_value=10**16))
def test_what_is_written_is_read_back(nanoseconds: int) -> None:
    """Writing a duration with all its digits and reading it again gives the same."""
    assert duration.parse(duration.text(nanoseconds)) == nanoseconds


@pytest.mark.parametrize(("nanoseconds", "shown"), [
    (0, "0s"), (999, "999ns"), (658_176, "658.176µs"), (1_243_571, "1.244ms"), (3_473_022, "3.473ms"),
    (5_989_123_456, "5.989s"), (59_999_999_999, "1m0s"), (61_400_000_000, "1m1s"), (5_400_000_000_000, "1h30m0s"),
])
def test_reports_round_to_the_next_finer_unit(nanoseconds: int, shown: str) -> None:
    """Figures look as in the contract's example: milliseconds are rounded to microseconds, seconds to milliseconds."""
    assert duration.rounded(nanoseconds) == shown
