"""Sanitizer: replaces secrets and personal data in texts, in time that grows with their length and no faster."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from wfx.logs.cleaned_text import CleanedText
from wfx.logs.custom_patterns import CustomPattern, Span, finds_nothing, longest_shown, spans
from wfx.logs.expressions import compiled
from wfx.logs.masks import Mask
from wfx.logs.patterns import PATTERNS, Pattern
from wfx.short_key_cache import ShortKeyCache

MOST_SEARCHES = 50
"""Searches in one text; what comes behind the last but one thing that they find is left out."""
_MEMORY = 16 * 1024 * 1024
"""Bytes that RE2 may take; with less it forgets what it has learned and learns it again."""
_MOST_HARMLESS = 4096
_LONGEST_HARMLESS = 128
"""How many texts without a secret, of so many bytes, are remembered: messages, and values that come again."""


class Match(Protocol):
    """What RE2 has found."""

    def span(self, group: int) -> tuple[int, int]:
        """Where a group was found; negative if it was not."""


class Sanitizer:
    """Finds what is secret by one expression, which is searched for again behind each place where it was found.

    What custom patterns find is searched for by itself, so that neither keeps the other from finding something.
    """

    def __init__(self, mask: Mask, custom: Sequence[CustomPattern] = ()) -> None:
        """Show masks in place of what these patterns find, and those that everybody has."""
        self._mask = mask
        self._custom = custom
        self._customs_find_nothing = finds_nothing(custom) if custom else None
        self._longest_shown = longest_shown(custom)
        self._patterns: dict[int, Pattern] = {}
        """What the capturing groups belong to."""
        group = 1
        for pattern in PATTERNS:
            groups = compiled(pattern.expression, _MEMORY).groups
            self._patterns |= dict.fromkeys(range(group, group + groups), pattern)
            group += groups
        expression = "|".join(pattern.expression for pattern in PATTERNS)
        whole = compiled(expression, _MEMORY)
        self._harmless = ShortKeyCache[bool](most=_MOST_HARMLESS, longest=_LONGEST_HARMLESS)
        self._search: Callable[[bytes, int], Match | None] = whole.search
        self._is_found: Callable[[bytes], object] = compiled(expression, _MEMORY, capturing=False).search
        """The same without groups, which take longer than the search."""
        kinds = [*(pattern.kind for pattern in PATTERNS), *(pattern.kind for pattern in custom)]
        self._masks = compiled(mask.expression(kinds), _MEMORY, capturing=False).finditer

    def is_harmless(self, text: str) -> bool:
        """Tell whether nothing in a text looks secret, which is so for most: faster than :meth:`clean`.

        Where there are custom patterns, a long text is not known to be harmless before it was cleaned.
        """
        encoded = text.encode("utf-8", "surrogatepass")
        if self._harmless.get(encoded):
            return True
        if self._customs_find_nothing is not None and not self._customs_find_nothing(encoded):
            return False
        if self._is_found(encoded) is not None:
            return False
        self._harmless.put(encoded, value=True)
        return True

    def clean(self, text: str, most: int | None = None) -> CleanedText:
        """Return the text with masks in place of what is secret.

        Of more than ``most`` characters only so many, and the secret there to its end, but all of them are looked at;
        fewer if too much looks secret, or if there are custom patterns.
        """
        encoded = text.encode("utf-8", "surrogatepass")
        wanted = len(text[:most].encode("utf-8", "surrogatepass"))
        wanted = _whole_characters(encoded, min(wanted, self._longest_shown))
        own, end = spans(self._custom, encoded, wanted)
        found, end = self._secrets(encoded, _whole_characters(encoded, end))
        own = [span for span in self._beside_masks(encoded, own) if span.start < end]
        found = sorted((*found, *own), key=lambda span: span.start)
        if not found and end == len(encoded):
            self._harmless.put(encoded, value=True)
        cleaned, reached = self._masked(encoded, found, end)
        return CleanedText(cleaned, len(_decoded(encoded[:reached])), too_much=end < wanted)

    def _beside_masks(self, encoded: bytes, found: Sequence[Span]) -> Iterator[Span]:
        """Leave out what custom patterns find of masks that the text already has; a mask as a whole may be a part."""
        masks = [match.span() for match in self._masks(encoded)] if found else []
        for start, end, kind in found:
            first, last = _last_before(masks, start)
            if first <= start and end <= last:
                continue
            begin = last if first < start < last else start
            first, last = _last_before(masks, end - 1)
            stop = first if begin < first and end < last else end
            yield Span(begin, stop, kind)

    def _secrets(self, encoded: bytes, end: int) -> tuple[list[Span], int]:
        """Return what everybody's patterns find up to this byte, or less if it is too much, and up to where."""
        found: list[Span] = []
        place = 0
        for remaining in reversed(range(MOST_SEARCHES)):
            match = self._search(encoded, place) if place < end else None
            if match is None:
                return found, end
            if not remaining:
                break
            kind, start, place = self._secret(match, encoded, place)
            if kind and start < end:
                found.append(Span(start, place, kind))
        return found, found[-1].end if found else 0

    def _masked(self, encoded: bytes, found: Sequence[Span], end: int) -> tuple[str, int]:
        """Return the text up to this byte, or to the end of the secret there, with masks, and up to where it is."""
        parts: list[str] = []
        reached = 0
        for span in found:
            if span.start >= reached:
                parts += [_decoded(encoded[reached : span.start]), self._mask.of(span.kind)]
            reached = max(reached, span.end)
        return "".join([*parts, _decoded(encoded[reached:end])]), max(reached, end)

    def _secret(self, found: Match, encoded: bytes, place: int) -> tuple[str, int, int]:
        """Tell what was found from this place on, where it begins, and where to look on; no kind if it is none."""
        pattern, start, end = next(
            (pattern, *span) for group, pattern in self._patterns.items() if (span := found.span(group))[0] >= 0
        )
        length = pattern.check(encoded[start:end])
        return (pattern.kind, start, start + length) if length else ("", start, max(start, place) + 1)


def _last_before(masks: Sequence[tuple[int, int]], place: int) -> tuple[int, int]:
    """Return the last one that begins at this place or before it; an empty one if there is none."""
    number = bisect_right(masks, place, key=lambda mask: mask[0])
    return masks[number - 1] if number else (0, 0)


def _decoded(encoded: bytes) -> str:
    return encoded.decode("utf-8", "surrogatepass")


def _whole_characters(encoded: bytes, end: int) -> int:
    """Return this place, or the one before it where a character begins."""
    while 0 < end < len(encoded) and encoded[end] & 0xC0 == 0x80:  # a byte within a character
        end -= 1
    return end
