"""Sanitizer: replaces secrets and personal data in texts, in time that grows with their length and no faster."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from wfx.logs.masks import Mask
from wfx.logs.patterns import PATTERNS, Pattern, compiled
from wfx.short_key_cache import ShortKeyCache

MOST_SEARCHES = 50
"""Searches in one text; what comes behind the last but one thing that they find is left out."""
_MEMORY = 16 * 1024 * 1024
"""Bytes that RE2 may take; with less it forgets what it has learned and learns it again."""
_MOST_HARMLESS = 4096
_LONGEST_HARMLESS = 128
"""How many texts without a secret, of so many bytes, are known by heart: messages, and values that come again."""


class Match(Protocol):
    """What RE2 has found."""

    def span(self, group: int) -> tuple[int, int]:
        """Where a group was found; negative if it was not."""


class Cleaned(NamedTuple):
    """A text, or its beginning, without what is secret in it."""

    text: str
    length: int
    """How many characters of the original it stands for."""


class Sanitizer:
    """Finds what is secret by one expression, which is searched for again behind each place where it was found."""

    def __init__(self, mask: Mask, custom: Sequence[Pattern] = ()) -> None:
        """Show masks; look for these patterns first, then for those that everybody has."""
        self._mask = mask
        self._patterns: dict[int, Pattern] = {}
        """What the capturing groups belong to."""
        patterns = (*custom, *PATTERNS)
        group = 1
        for pattern in patterns:
            groups = compiled(pattern.expression, _MEMORY).groups
            self._patterns |= dict.fromkeys(range(group, group + groups), pattern)
            group += groups
        expression = "|".join(pattern.expression for pattern in patterns)
        whole = compiled(expression, _MEMORY)
        self._harmless = ShortKeyCache[bool](most=_MOST_HARMLESS, longest=_LONGEST_HARMLESS)
        self._search: Callable[[bytes, int], Match | None] = whole.search
        self._is_found: Callable[[bytes], object] = compiled(expression, _MEMORY, capturing=False).search
        """The same without groups, which take longer than the search."""

    def is_harmless(self, text: str) -> bool:
        """Tell whether nothing in a text looks secret, which is so for most: faster than :meth:`clean`."""
        encoded = text.encode("utf-8", "surrogatepass")
        if self._harmless.get(encoded):
            return True
        if self._is_found(encoded) is not None:
            return False
        self._harmless.put(encoded, value=True)
        return True

    def clean(self, text: str, most: int | None = None) -> Cleaned:
        """Return the text with masks in place of what is secret.

        Of more than ``most`` characters only so many, and the secret there to its end, but all of them are looked at;
        fewer if too much looks secret.
        """
        encoded = text.encode("utf-8", "surrogatepass")
        cleaned, reached = self._cleaned(encoded, len(text[:most].encode("utf-8", "surrogatepass")))
        return Cleaned(cleaned, len(_decoded(encoded[:reached])))

    def _cleaned(self, encoded: bytes, end: int) -> tuple[str, int]:
        """Return the text up to this byte, or less, with masks, and up to where it is."""
        parts: list[str] = []
        reached = place = 0
        """Up to where the text is in the parts, and up to where it has been looked at."""
        for remaining in reversed(range(MOST_SEARCHES)):
            found = self._search(encoded, place) if place < end else None
            if found is None:
                return "".join([*parts, _decoded(encoded[reached:end])]), max(reached, end)
            if not remaining:
                break
            kind, start, place = self._secret(found, encoded, place)
            if kind and start < end:
                parts += [_decoded(encoded[reached:start]), self._mask.of(kind)]
                reached = place
        return "".join(parts), reached

    def _secret(self, found: Match, encoded: bytes, place: int) -> tuple[str, int, int]:
        """Tell what was found from this place on, where it begins, and where to look on; no kind if it is none."""
        pattern, start, end = next(
            (pattern, *span) for group, pattern in self._patterns.items() if (span := found.span(group))[0] >= 0
        )
        length = pattern.check(encoded[start:end])
        return (pattern.kind, start, start + length) if length else ("", start, max(start, place) + 1)


def _decoded(encoded: bytes) -> str:
    return encoded.decode("utf-8", "surrogatepass")
