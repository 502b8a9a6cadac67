"""Content of a log record, the same for all formats: message, fields and traceback, without what is secret in them."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from wfx.logs.cleaned_text import CleanedText
from wfx.logs.masks import MESSAGE, WITHHELD, Mask
from wfx.request_context import LOG_FIELD, current

if TYPE_CHECKING:  # imported, with RE2, when a server runs
    from wfx.logs.sanitizer import Sanitizer

LONGEST = 64 * 1024
"""Characters that a message or a field's value may have; of a longer one the beginning is logged."""

_LONGEST_SECRET = 4096
"""Characters that are looked at and left out where a text is cut."""
_TOO_MUCH = ", which are not shown: too much in this text looks secret"
_PLAIN = (int, float, type(None))
_traceback = logging.Formatter().formatException


class Content(NamedTuple):
    """What a record says."""

    caller: str
    """Where in the source code it was made."""
    message: str
    fields: Mapping[str, object]
    """What it is about, first the id of the request that is being answered, if one is."""
    traceback: str
    """Empty without an exception."""


@dataclass(frozen=True, slots=True)
class Beginning:
    """A text of which only the beginning is shown, as a field of a record."""

    text: str
    most: int
    """Characters that are shown."""
    more: int
    """Bytes that followed the text, which are only counted."""


class _Sanitizing:
    """What is hidden, and how, now."""

    def __init__(self) -> None:
        self.mask = Mask()
        self.sanitizer: Sanitizer | None = None
        self.withheld: tuple[str, ...] = WITHHELD


_sanitizing = _Sanitizing()
_of_process: dict[str, object] = {}
"""Fields that all records of this process have."""


def set_sanitizer(mask: Mask, sanitizer: Sanitizer | None) -> None:
    """Hide by this sanitizer what is secret in records from now on, or show all."""
    _sanitizing.mask = mask
    _sanitizing.sanitizer = sanitizer


def set_worker(number: int) -> None:
    """Tell in all records from now on which worker process they are of."""
    _of_process["worker"] = number


def withhold_messages() -> None:
    """Never log messages of devices from now on, as definitions and contexts never are."""
    _sanitizing.withheld = (*WITHHELD, MESSAGE)


def is_withheld(name: str) -> bool:
    """Tell whether members of this name are never logged, but masked as a whole."""
    return name in _sanitizing.withheld


def mask(kind: str) -> str:
    """Return what is shown in place of something of this kind that is never logged."""
    return _sanitizing.mask.of(kind)


def hides_secrets() -> bool:
    """Tell whether what is secret in records is hidden now."""
    return _sanitizing.sanitizer is not None


def beginning(text: str, most: int) -> CleanedText:
    """Return what is shown of the first ``most`` characters.

    The others are looked at too: they tell whether the shown ones end within a secret.
    """
    sanitizer = _sanitizing.sanitizer
    if sanitizer is None or sanitizer.is_harmless(text):
        return CleanedText(text[:most], min(most, len(text)))
    return sanitizer.clean(text, most)


def content_of(record: logging.LogRecord) -> Content:
    """Return what a record says."""
    fields: Mapping[str, object] = {**_of_process, **getattr(record, "fields", {})}
    context = current()
    if context is not None:
        fields = {LOG_FIELD: context.request_id, **fields}
    return Content(
        caller=f"{record.module}.py:{record.lineno}",
        message=shown(record.getMessage()),
        fields={name: _clean(value) for name, value in fields.items()},
        traceback=shown(_traceback(record.exc_info)) if record.exc_info else "",
    )


def _clean(value: object) -> object:
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, Mapping):
        return {shown(str(name)): _clean(member) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(item) for item in value]
    return _shown_beginning(value) if isinstance(value, Beginning) else shown(str(value))


def _shown_beginning(value: Beginning) -> str:
    cleaned = beginning(value.text, value.most)
    more = value.more + len(value.text[cleaned.length :].encode("utf-8", "surrogatepass"))
    return f"{cleaned.text} … and {more} bytes more" if more else cleaned.text


def shown(text: str) -> str:
    """Return what is shown of a text: its end may be half a secret, which nobody recognises, where it is cut."""
    most = len(text) if len(text) <= LONGEST else LONGEST - _LONGEST_SECRET
    cleaned = beginning(text[:LONGEST], most)
    if cleaned.length == len(text):
        return cleaned.text
    more = len(text) - cleaned.length
    return f"{cleaned.text} … and {more} characters more{_TOO_MUCH if cleaned.too_much else ''}"
