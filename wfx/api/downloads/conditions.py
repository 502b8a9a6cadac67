"""Conditional requests: whether a file is to be sent at all (RFC 9110 section 13)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime

from wfx.api.reply import RawHeader

_TAG = re.compile(rb'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"')
_DATES = ("%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %d %H:%M:%S %Y")
_SECOND = 1_000_000_000

Fields = Mapping[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Validators:
    """What tells two versions of a file apart."""

    modified: int
    """Seconds since the epoch."""
    tag: bytes
    """The entity tag; empty for a directory."""

    @classmethod
    def of(cls, modified: int, size: int | None) -> Validators:
        """Make those of a file by its time in nanoseconds and its size, or those of a directory, which has no tag."""
        return cls(modified // _SECOND, b"" if size is None else b'"%x-%x"' % (modified, size))

    @property
    def date(self) -> bytes:
        """The time as it is sent; empty for one that no calendar has."""
        try:
            return format_datetime(datetime.fromtimestamp(self.modified, UTC), usegmt=True).encode()
        except (ValueError, OverflowError, OSError):
            return b""

    @property
    def headers(self) -> list[RawHeader]:
        """Both, as header fields."""
        fields = ((b"last-modified", self.date), (b"etag", self.tag))
        return [(name, value) for name, value in fields if value]

    def refusal(self, fields: Fields) -> int:
        """Return the status to answer with instead of the file, 304 or 412; 0 to send it."""
        if (tags := fields.get(b"if-match")) is not None:
            if not self._is_among(tags, weakly=False):
                return 412
        elif (date := _date(fields.get(b"if-unmodified-since"))) is not None and self.modified > date:
            return 412
        if (tags := fields.get(b"if-none-match")) is not None:
            return 304 if self._is_among(tags, weakly=True) else 0
        date = _date(fields.get(b"if-modified-since"))
        return 304 if date is not None and self.modified <= date else 0

    def allow_ranges(self, fields: Fields) -> bool:
        """Tell whether ranges may be sent, as nothing says that the client has parts of another version."""
        condition = fields.get(b"if-range")
        return condition is None or (bool(condition) and condition in (self.tag, self.date))

    def _is_among(self, tags: bytes, *, weakly: bool) -> bool:
        if tags.strip() == b"*":
            return True
        given = _TAG.findall(tags)
        return self.tag in ([tag.removeprefix(b"W/") for tag in given] if weakly else given)


def _date(value: bytes | None) -> int | None:
    """Read one of the three forms of dates; None for anything else, which is passed over."""
    for form in _DATES if value is not None else ():
        with suppress(ValueError, OverflowError):
            assert value is not None
            return int(datetime.strptime(value.decode("latin-1"), form).replace(tzinfo=UTC).timestamp())
    return None
