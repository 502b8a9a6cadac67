"""Headers as the protocol wants them (server section 11.4): canonical names, each once with all values, in UTF-8."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from wfx.plugin.message import Headers

_LONGEST_CACHED = 64


def grouped(fields: Iterable[tuple[bytes, bytes]]) -> Headers:
    """Bring the values of each name together, whatever the case it is written in."""
    groups: dict[bytes, list[bytes]] = {}
    for name, value in fields:
        groups.setdefault(_canonical(name), []).append(_as_utf8(value))
    return tuple((name, tuple(values)) for name, values in groups.items())


def _canonical(name: bytes) -> bytes:
    return _cached(name) if len(name) <= _LONGEST_CACHED else _capitalised(name)


def _capitalised(name: bytes) -> bytes:
    return b"-".join(part.capitalize() for part in _as_utf8(name).split(b"-"))


_cached = lru_cache(maxsize=512)(_capitalised)


def _as_utf8(text: bytes) -> bytes:
    """Give text as UTF-8, which the strings of the protocol are; other bytes count as ISO 8859-1."""
    if text.isascii():
        return text
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return text.decode("latin-1").encode("utf-8")
    return text
