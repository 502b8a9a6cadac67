"""Causes of events, as they are stored."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wfx.domain.cause import UNKNOWN, Cause, decode_cause, of_request

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
CAUSES = st.builds(
    Cause, TEXTS, st.sampled_from(["", "north", "south"]), TEXTS, st.none() | st.integers(1, 2**62), st.integers(0, 99)
)


@given(cause=CAUSES)
def test_a_cause_is_as_it_was(cause: Cause) -> None:
    """What a cause is stored as says all of it."""
    assert decode_cause(cause.encoded) == cause


@pytest.mark.parametrize(
    ("cause", "stored"),
    [
        (Cause(), "[]"),
        (Cause("id", "north"), '["id","north"]'),
        (Cause("", "", "a rule", 7, 1), '["","","a rule",7,1]'),
        (Cause(depth=1), '["","","",null,1]'),
    ],
)
def test_what_is_empty_at_the_end_is_left_out(cause: Cause, stored: str) -> None:
    """Most events were asked for by a request whose caller is not known: of these the rest is not stored."""
    assert cause.encoded == stored


@pytest.mark.parametrize("cause", [Cause(depth=-1), Cause(root=0, depth=1), Cause(root=-7)])
def test_numbers_that_no_cause_has(cause: Cause) -> None:
    """What a check of the store would take for damage is not stored."""
    with pytest.raises(ValueError, match="the root of a cause"):
        _ = cause.encoded


@given(request_id=st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1), actor=st.just("") | TEXTS)
def test_the_cause_of_a_request(request_id: str, actor: str) -> None:
    """Whatever id a caller gives, the cause of its request has it."""
    assert decode_cause(of_request(request_id, "south", actor)) == Cause(request_id, "south", actor)


def test_the_unknown_cause() -> None:
    """What no request asked for has a cause without members."""
    assert decode_cause(UNKNOWN) == Cause()
