"""Applies plugin decisions to requests and answers, and rejects those that cannot be sent.

A plugin may quote callers in what it answers, so its headers and destinations are checked like those of a caller:
nothing that could end a header line or a request line early gets through.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache

from wfx.plugin.errors import AnswerUnusable
from wfx.plugin.message import Decision, Headers, Modify, PluginRequest, Respond

_TARGET = re.compile(rb"/[!-\"$-~]*")
_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(rb"[\t -~\x80-\xff]*")


def applied(request: PluginRequest, decision: Decision) -> PluginRequest | Respond:
    """Give the response, or the request with which to go on; raise AnswerUnusable if it cannot be sent."""
    if isinstance(decision, Respond):
        return checked(decision)
    return rewritten(request, decision) if isinstance(decision, Modify) else request


def rewritten(request: PluginRequest, decision: Modify) -> PluginRequest:
    """Give the request with which to go on; raise AnswerUnusable if it could not have come from a caller either."""
    destination = decision.destination or request.destination
    if destination != request.destination and not _TARGET.fullmatch(destination):
        raise AnswerUnusable("rewrote the destination to something that is not a path with a query")
    body = request.body if decision.body is None else decision.body
    return replace(request, destination=destination, headers=_sound(decision.headers), body=body)


def checked(response: Respond) -> Respond:
    """Give the response with its headers in order; raise AnswerUnusable if they cannot be sent."""
    return replace(response, headers=_sound(response.headers))


def _sound(headers: Headers) -> Headers:
    for name, values in headers:
        if not _NAME.fullmatch(name) or not all(map(_VALUE.fullmatch, values)):
            raise AnswerUnusable("set a header that cannot be sent")
    return grouped((name, value.strip(b" \t")) for name, values in headers for value in values)


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
