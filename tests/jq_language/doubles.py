"""Doubles, and how plain output spells them (rest-api section 4, cli section 5), told by decimal arithmetic."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import strategies as st

doubles = (
    st.floats(allow_nan=False, allow_infinity=False)
    | st.integers(-(2**70), 2**70).map(float)
    | st.builds(lambda digits, power: float(f"{digits}e{power}"), st.integers(-99999, 99999), st.integers(-25, 25))
    | st.sampled_from([0.0, -0.0, 1e-7, 9.99999e-7, 1e-6, 1e-5, 1e-4, 1e15, 1e16, 1e17, 1e20, 1e21, 1e22, 2.0**53])
)
"""All doubles, and more often those where spellings differ."""


def spelling(value: float) -> str:
    """The shortest digits that identify a double, positional from 1e-6 up to 1e21, else with an exponent."""
    exact = Decimal(repr(value)).normalize()
    if not value or 1e-6 <= abs(value) < 1e21:
        return f"{exact:f}"
    sign, digits, exponent = exact.as_tuple()
    assert isinstance(exponent, int)
    first, *others = map(str, digits)
    mantissa = first + "." * bool(others) + "".join(others)
    return f"{'-' * sign}{mantissa}e{exponent + len(others):+d}"
