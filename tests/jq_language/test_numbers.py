from __future__ import annotations

import pytest
from hypothesis import given

from tests.jq_language.doubles import doubles, spelling
from wfx.jq_language.numbers import text_of


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-0.0, "-0"),
        (1.0, "1"),
        (-1.5, "-1.5"),
        (0.1, "0.1"),
        (123456.789, "123456.789"),
        (1e15, "1000000000000000"),
        (1e16, "10000000000000000"),
        (-1.5e17, "-150000000000000000"),
        (1.2345678901234568e20, "123456789012345680000"),
        (1e21, "1e+21"),
        (1.5e300, "1.5e+300"),
        (0.0001, "0.0001"),
        (0.00001234, "0.00001234"),
        (-1e-6, "-0.000001"),
        (9.9e-7, "9.9e-7"),
        (5e-324, "5e-324"),
    ],
)
def test_numbers_are_positional_between_the_very_small_and_the_very_large(value: float, text: str) -> None:
    """Doubles are written in the shortest form, positionally from 1e-6 up to 1e21."""
    assert text_of(value) == spelling(value) == text


@given(doubles)
def test_a_number_reads_back_as_itself(value: float) -> None:
    """Every double has the spelling of the contract, and does not change by being written."""
    assert text_of(value) == spelling(value)
    assert float(text_of(value)) == value


@pytest.mark.parametrize("value", [float("inf"), float("-inf")])
def test_an_infinity_has_no_text(value: float) -> None:
    """What JSON cannot say is not written."""
    with pytest.raises(OverflowError):
        text_of(value)
