from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wfx.commandline import durations
from wfx_loadtest import duration


@given(st.integers(min_value=-(10**14), max_value=10**14))
def test_what_is_written_is_read_back(nanoseconds: int) -> None:
    """Writing a duration of up to a day with all its digits and reading it as flags are read gives the same."""
    assert round(durations.parse(duration.text(nanoseconds)) * duration.SECOND) == nanoseconds


@pytest.mark.parametrize(
    ("nanoseconds", "shown"),
    [
        (0, "0s"),
        (999, "999ns"),
        (658_176, "658.176µs"),
        (1_243_571, "1.244ms"),
        (3_473_022, "3.473ms"),
        (5_989_123_456, "5.989s"),
        (59_999_999_999, "1m0s"),
        (61_400_000_000, "1m1s"),
        (5_400_000_000_000, "1h30m0s"),
    ],
)
def test_reports_round_to_the_next_finer_unit(nanoseconds: int, shown: str) -> None:
    """Figures look as in the contract's example: milliseconds are rounded to microseconds, seconds to milliseconds."""
    assert duration.rounded(nanoseconds) == shown
