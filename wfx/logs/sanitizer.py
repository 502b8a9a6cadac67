"""Sanitizer: replaces secrets and personal data in texts, in time that grows with their length and no faster."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from wfx.logs.masks import Mask
from wfx.logs.patterns import CARD, PATTERNS, Pattern, compiled
from wfx.short_key_cache import ShortKeyCache

MOST_SEARCHES = 50
"""Searches in one text; what comes after them is left out."""
_MEMORY = 16 * 1024 * 1024
"""Bytes that RE2 may take; with less it forgets what it has learned and learns it again."""
_MOST_HARMLESS = 4096
_LONGEST_HARMLESS = 128
"""How many texts without a secret, of so many bytes, are known by heart: messages, and values that come again."""
_CARD_DIGITS = range(19, 12, -1)


class Match(Protocol):
    """What RE2 has found."""

    def span(self, group: int) -> tuple[int, int]:
        """Where a group was found; negative if it was not."""


class Sanitizer:
    """Finds what is secret by one expression, which is searched for again behind each place where it was found."""

    def __init__(self, mask: Mask, custom: Sequence[Pattern] = ()) -> None:
        """Show masks; look for these patterns first, then for those that everybody has."""
        self._mask = mask
        self._kinds: dict[int, str] = {}
        """What the capturing groups stand for."""
        patterns = (*custom, *PATTERNS)
        group = 1
        for pattern in patterns:
            groups = compiled(pattern.expression, _MEMORY).groups
            self._kinds |= dict.fromkeys(range(group, group + groups), pattern.kind)
            group += groups
        expression = "|".join(pattern.expression for pattern in patterns)
        whole = compiled(expression, _MEMORY)
        self._harmless = ShortKeyCache[bool](most=_MOST_HARMLESS, longest=_LONGEST_HARMLESS)
        self._search: Callable[[bytes, int], Match | None] = whole.search
        self._is_found: Callable[[bytes], object] = compiled(expression, _MEMORY, capturing=False).search
        """The same without groups, which take longer than the search."""

    def clean(self, text: str) -> str:
        """Return the text with masks in place of what is secret."""
        encoded = text.encode("utf-8", "surrogatepass")
        if self._harmless.get(encoded):
            return text
        if self._is_found(encoded) is not None:
            return self._cleaned(encoded, self._search(encoded, 0))
        self._harmless.put(encoded, value=True)
        return text

    def _cleaned(self, encoded: bytes, found: Match | None) -> str:
        parts: list[str] = []
        shown = place = 0
        """Up to where the text is in the parts, and up to where it has been looked at."""
        for _ in range(MOST_SEARCHES - 1):
            if found is None:
                return "".join([*parts, _decoded(encoded[shown:])])
            kind, start, end = self._secret(found, encoded)
            if kind:
                parts += [_decoded(encoded[shown:start]), self._mask.of(kind)]
                shown = end
            place = max(end, place + 1)
            found = self._search(encoded, place)
        rest = len(encoded) - shown
        return "".join([*parts, f" … and {rest} bytes more, which are not shown: too much in this text looks secret"])

    def _secret(self, found: Match, encoded: bytes) -> tuple[str, int, int]:
        """Tell what was found, and where it begins and ends; for what only looks like one, up to where it does."""
        kind, start, end = next(
            (kind, *span) for group, kind in self._kinds.items() if (span := found.span(group))[0] >= 0
        )
        if kind is not CARD:
            return kind if end > start else "", start, end
        length = _card_length(encoded[start:end])
        return (CARD, start, start + length) if length else ("", start, start + 4)


def _card_length(candidate: bytes) -> int:
    """Return up to where digits in groups are the number of a card; 0 if they are none."""
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


def _decoded(encoded: bytes) -> str:
    return encoded.decode("utf-8", "surrogatepass")
