"""Numbers are doubles, and are shown with the digits that programs with doubles show."""

from __future__ import annotations

import pytest

from wfx.domain.json import encode
from wfx.domain.numbers import normalise


@pytest.mark.parametrize(("sent", "shown"), [
    (2**53, b"9007199254740992"),
    (2**53 + 1, b"9007199254740992"),
    (2**53 + 3, b"9007199254740996"),
    (-(2**53) - 1, b"-9007199254740992"),
    (10**18, b"1000000000000000000"),
    (-(10**18), b"-1000000000000000000"),
    (2**63, b"9223372036854776000"),
    (-(2**63) + 1024, b"-9223372036854775000"),
    (2**64 - 2048, b"18446744073709550000"),
    (1.5e18, b"1500000000000000000"),
    (-1.5e18, b"-1500000000000000000"),
])  # fmt: skip
def test_whole_numbers_are_shown_with_all_their_digits(sent: float, shown: bytes) -> None:
    """A whole number of up to 64 bits, of either sign, is shown without an exponent, rounded to a double."""
    assert encode(normalise(sent)) == shown


@pytest.mark.parametrize("sent", [2**64, -(2**63), 10**19 * 2, -(10**19), 1.5e300])
def test_larger_numbers_are_shown_with_an_exponent(sent: float) -> None:
    """A number that 64 bits do not hold is shown as a double, with an exponent."""
    assert encode(normalise(sent)) == encode(float(sent))
    assert b"e" in encode(normalise(sent))


@pytest.mark.parametrize("sent", [0, -1, 61, 62, 0.5, -0.0, 1e-300, True, None, "1", {"a": [1, 0.5]}, [[2**53]]])
def test_what_a_double_shows_anyway_stays(sent: object) -> None:
    """What is shown the same way as a double is not changed, nor copied."""
    assert normalise(sent) is sent
