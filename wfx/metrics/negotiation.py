"""Content negotiation of the metrics: which form a scraper gets for its field ``Accept`` (RFC 9110, section 12.5.1)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_RANGE = re.compile(r'(?:[^",]|"(?:[^"\\]|\\.)*"?)+', re.DOTALL)
_PARAMETER = re.compile(r'(?:[^";]|"(?:[^"\\]|\\.)*"?)+', re.DOTALL)
"""Parts of a field; commas and semicolons in quoted strings end none."""
_QUALITY = re.compile(r"0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?")


@dataclass(frozen=True, slots=True)
class Form:
    """A form that metrics are written in."""

    media_type: str
    version: str

    @property
    def content_type(self) -> str:
        """As the field ``Content-Type`` has it."""
        return f"{self.media_type}; version={self.version}; charset=utf-8"


OPENMETRICS = Form("application/openmetrics-text", "1.0.0")
TEXT = Form("text/plain", "0.0.4")
NEWER_TEXT = Form("text/plain", "1.0.0")
FORMS = (OPENMETRICS, TEXT, NEWER_TEXT)
"""All that are written, the preferred one first, for who names several that are equally welcome."""


@dataclass(frozen=True, slots=True)
class _MediaRange:
    """An element of ``Accept``. Parameters other than version and quality are of no account."""

    media_type: str
    version: str | None
    quality: float

    def precision(self, form: Form) -> int:
        """Tell how precisely it means a form; 0 if it does not."""
        if self.version not in (None, form.version):
            return 0
        if self.media_type == form.media_type:
            return 3 if self.version is None else 4
        kind = form.media_type.partition("/")[0]
        return {"*/*": 1, f"{kind}/*": 2}.get(self.media_type, 0)


def choose(accept: str) -> Form:
    """Return the most welcome form; the text that all scrapers read if none of :data:`FORMS` is acceptable.

    That text is also for who takes anything: OpenMetrics is for who names it.
    """
    ranges = [read for text in _RANGE.findall(accept) if (read := _media_range(text)) is not None]
    rated = [(form, *_rating(form, ranges)) for form in FORMS]
    most = max(quality for _, quality, _ in rated)
    welcome = {form: named for form, quality, named in rated if quality == most}
    if named := [form for form in welcome if welcome[form] and most]:
        return named[0]
    return TEXT if TEXT in welcome else next(iter(welcome))


def _rating(form: Form, ranges: Iterable[_MediaRange]) -> tuple[float, bool]:
    """Return the quality that the most precise range gives to a form, and whether that names its media type."""
    precision, quality = max(((each.precision(form), each.quality) for each in ranges), default=(0, 0.0))
    return (quality, precision > 2) if precision else (0.0, False)


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
