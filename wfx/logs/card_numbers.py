"""Card numbers: digits in groups that pass the check of Luhn."""

from __future__ import annotations

from collections.abc import Sequence

_CARD_DIGITS = range(19, 12, -1)


def card_length(candidate: bytes) -> int:
    """Return how many bytes of digits in groups are the number of a card; 0 if they are none."""
    places = [place for place, byte in enumerate(candidate) if chr(byte).isdigit()]
    for count in _CARD_DIGITS:
        if count <= len(places):
            end = places[count - 1] + 1
            whole = end == len(candidate) or not candidate[end : end + 1].isdigit()
            if whole and _passes_luhn([candidate[place] - 48 for place in places[:count]]):
                return end
    return 0


def _passes_luhn(digits: Sequence[int]) -> bool:
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[-2::-2])
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0
