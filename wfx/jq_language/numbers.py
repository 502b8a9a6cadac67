"""Text form of a number, as Go's encoding/json writes a double (rest-api section 4, cli section 5)."""

from __future__ import annotations

import math


def text_of(value: float) -> str:
    """Write a double with the fewest digits that identify it: positionally from 1e-6 up to 1e21, else with an exponent.

    Raises OverflowError when it is infinite.
    """
    if math.isinf(value):
        raise OverflowError("not a finite number")
    text = repr(value)
    mantissa, _, exponent = text.partition("e")
    if not exponent:
        return text.removesuffix(".0")
    power = int(exponent)
    if power < -6 or power >= 21:
        return f"{mantissa}e{power:+}"
    sign = "-" if value < 0 else ""
    digits = mantissa.lstrip("-").replace(".", "")
    if power < 0:
        return f"{sign}0.{'0' * (-power - 1)}{digits}"
    return sign + digits.ljust(power + 1, "0")
