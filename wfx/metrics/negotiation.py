"""Content negotiation of the metrics: the format that a scraper asks for in ``Accept`` (RFC 9110, section 12.5.1)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_RANGE = re.compile(r'(?:[^",]|"(?:[^"\\]|\\.)*"?)+', re.DOTALL)
_PARAMETER = re.compile(r'(?:[^";]|"(?:[^"\\]|\\.)*"?)+', re.DOTALL)
"""Parts of a field; commas and semicolons in quoted strings end none."""
_LONGEST = 4096
"""Characters of a field that is read: reading a megabyte of elements would take seconds."""
_QUALITY = re.compile(r"0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?")


@dataclass(frozen=True, slots=True)
class ExpositionFormat:
    """A format that metrics are written in."""

    media_type: str
    version: str

    @property
    def content_type(self) -> str:
        """The value of ``Content-Type``."""
        return f"{self.media_type}; version={self.version}; charset=utf-8"


OPENMETRICS = ExpositionFormat("application/openmetrics-text", "1.0.0")
TEXT = ExpositionFormat("text/plain", "0.0.4")
NEWER_TEXT = ExpositionFormat("text/plain", "1.0.0")
FORMATS = (OPENMETRICS, TEXT, NEWER_TEXT)
"""All that are written, the preferred one first: it is chosen where several have the same quality."""


@dataclass(frozen=True, slots=True)
class _MediaRange:
    """An element of ``Accept``. Parameters other than version and quality are ignored."""

    media_type: str
    version: str | None
    quality: float

    def specificity(self, candidate: ExpositionFormat) -> int:
        """Tell how specific it is for a format; 0 if it does not match."""
        if self.version not in (None, candidate.version):
            return 0
        if self.media_type == candidate.media_type:
            return 3 if self.version is None else 4
        kind = candidate.media_type.partition("/")[0]
        return {"*/*": 1, f"{kind}/*": 2}.get(self.media_type, 0)


def choose_format(accept: str) -> ExpositionFormat:
    """Return the format of the highest quality; TEXT, which all scrapers read, if none is acceptable.

    TEXT is also for scrapers that accept anything: OpenMetrics is for those that name it.
    """
    elements = _RANGE.findall(accept) if len(accept) <= _LONGEST else ()
    ranges = [read for text in elements if (read := _media_range(text)) is not None]
    rated = [(candidate, *_rating(candidate, ranges)) for candidate in FORMATS]
    highest = max(quality for _, quality, _ in rated)
    preferred = {candidate: named for candidate, quality, named in rated if quality == highest}
    if named := [candidate for candidate in preferred if preferred[candidate] and highest]:
        return named[0]
    return TEXT if TEXT in preferred else next(iter(preferred))


def _rating(candidate: ExpositionFormat, ranges: Iterable[_MediaRange]) -> tuple[float, bool]:
    """Return the quality that the most specific range gives to a format, and whether that names its media type."""
    specificity, quality = max(((each.specificity(candidate), each.quality) for each in ranges), default=(0, 0.0))
    return (quality, specificity > 2) if specificity else (0.0, False)


def _media_range(text: str) -> _MediaRange | None:
    """Read an element; None if its quality is no number from 0 to 1."""
    media_type, *parameters = (part.strip(" \t") for part in _PARAMETER.findall(text) or [""])
    named = {name.lower(): value for name, _, value in (each.partition("=") for each in parameters)}
    quality = _unquoted(named.get("q", "1"))
    if not _QUALITY.fullmatch(quality):
        return None
    version = named.get("version")
    return _MediaRange(media_type.lower(), None if version is None else _unquoted(version), float(quality))


def _unquoted(value: str) -> str:
    return re.sub(r"\\(.)", r"\1", value[1:-1]) if len(value) > 1 and value[0] == value[-1] == '"' else value
