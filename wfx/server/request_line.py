"""Parser of the request line and of hosts (rest-api sections 1 and 2)."""

from __future__ import annotations

import re
from functools import lru_cache

from wfx.server import edge_errors
from wfx.server.edge_errors import Refusal

METHODS = frozenset(
    b"GET HEAD POST PUT PATCH DELETE OPTIONS TRACE QUERY CONNECT COPY LOCK MKCOL MOVE PROPFIND PROPPATCH SEARCH UNLOCK "
    b"BIND REBIND UNBIND ACL REPORT MKACTIVITY CHECKOUT MERGE M-SEARCH NOTIFY SUBSCRIBE UNSUBSCRIBE PURGE MKCALENDAR "
    b"LINK UNLINK SOURCE".split()
)
"""Methods of HTTP and its extensions; which paths allow which ones is up to the app."""
MAX_FIELDS = 200
"""Header fields that a request may have."""
MAX_TARGET = 64 * 1024
"""Bytes that a request target may have."""
HEAD_SLACK = 4096
"""Bytes that a head may have beyond the option ``max-header-size`` (server section 5)."""

_TARGET = re.compile(rb'/[!"$-~\x80-\xff]*')
"""A path with a query: visible ASCII without a fragment, and bytes that should have been percent-encoded."""
_ABSOLUTE = re.compile(rb'https?://([^/?#]+)([/?][!"$-~\x80-\xff]*)?', re.IGNORECASE)
_NOT_ASCII = re.compile(rb"[\x80-\xff]")
_HOST = re.compile(rb"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~!$&'()*+,;=%-]+)(?::([0-9]{0,5}))?")
_MAX_PORT = 65535
_LONGEST_CACHED = 300
"""Bytes of the longest host that is remembered: names in use are shorter, and a header may have a megabyte."""
_VERSIONS = {b"HTTP/1.1\r\n": "1.1", b"HTTP/1.0\r\n": "1.0"}
_OTHER_VERSIONS = (b"", b"HTTP/0.9\r\n", b"HTTP/2.0\r\n")
"""Ends of first lines of other versions of HTTP."""
USUAL_LINE = re.compile(rb'(GET|PUT|POST|DELETE|HEAD) (/[!"$->@-~]{0,2000}+)(?:\?([!"$-~]{0,2000}+))? HTTP/1\.1\r\n')
"""Matches nearly all first lines: method, path, query. Other lines are parsed by :func:`read_line`."""
_PREFACE = b"PRI * HTTP/2.0\r\n"
"""The beginning of what a client sends that expects HTTP/2."""
_LONGEST_METHOD = max(map(len, METHODS))
_TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""What a method may consist of (RFC 9110 section 5.6.2)."""
_MAX_LINE = _LONGEST_METHOD + MAX_TARGET + len("  HTTP/1.1\r\n")


Target = tuple[bytes, bytes, bytes | None]
"""Path and query, and the host of an absolute target, which counts instead of the header."""


def read_line(line: bytes) -> tuple[Target, str] | Refusal:
    """Parse any first line of a request: method, target, version, with one space between them."""
    parts = line.split(b" ")
    method = parts[0]
    version = _VERSIONS.get(parts[-1])
    if version is None or method not in METHODS or len(parts) != 3:
        return _fault_of_line(line, parts)
    target = read_target(parts[1], method)
    return target if isinstance(target, Refusal) else (target, version)


def _fault_of_line(line: bytes, parts: list[bytes]) -> Refusal:
    """Return what is wrong with a first line."""
    if parts[0] not in METHODS:
        return edge_errors.BAD_VERSION if line == _PREFACE else _unknown_method(parts)
    if len(parts) == 2 or (len(parts) == 3 and parts[2] in _OTHER_VERSIONS):
        return edge_errors.BAD_VERSION
    return edge_errors.MALFORMED


def _unknown_method(parts: list[bytes]) -> Refusal:
    if len(parts) == 3 and parts[2] in _VERSIONS and _TOKEN.fullmatch(parts[0]):
        target = read_target(parts[1], parts[0])
        if not isinstance(target, Refusal):
            return edge_errors.bad_method(target[0])
    return edge_errors.BAD_METHOD


def check_incomplete_line(line: bytes, max_head: int) -> Refusal | None:
    """Check the beginning of a first line whose end is missing; the whole head may have ``max_head`` bytes."""
    method, blank, _ = line[: _LONGEST_METHOD + 1].partition(b" ")
    short_enough = blank or len(line) <= _LONGEST_METHOD
    if line and not (short_enough and _TOKEN.fullmatch(method)):
        return edge_errors.BAD_METHOD  # what a path allows is known only when its end is here
    if len(line) > _MAX_LINE:
        return edge_errors.LONG_TARGET
    return edge_errors.LARGE_HEAD if len(line) > max_head else None


def read_target(raw: bytes, method: bytes) -> Target | Refusal:
    """Parse a request target: a path, a whole URL, or the ``*`` of OPTIONS.

    Bytes above 0x7f are percent-encoded, so that plugins and routes see one spelling.
    """
    authority = None
    if not _TARGET.fullmatch(raw):
        if raw == b"*" and method == b"OPTIONS":
            return b"/", b"", None
        if (absolute := _ABSOLUTE.fullmatch(raw)) is None or not valid_host(absolute[1]):
            return edge_errors.BAD_TARGET
        authority, raw = absolute[1], absolute[2] or b""
    if not raw.isascii():
        raw = _NOT_ASCII.sub(lambda found: b"%%%02X" % found[0][0], raw)
    if len(raw) > MAX_TARGET:
        return edge_errors.LONG_TARGET
    if method == b"CONNECT":
        return edge_errors.BAD_TARGET
    path, _, query = raw.partition(b"?")
    return path or b"/", query, authority


def valid_host(value: bytes) -> bool:
    """Tell whether this is a host, with or without a port (RFC 9112 section 3.2), or empty."""
    return _is_host_cached(value) if len(value) <= _LONGEST_CACHED else _is_host(value)


def _is_host(value: bytes) -> bool:
    if not value:
        return True
    found = _HOST.fullmatch(value)
    return found is not None and int(found[1] or 0) <= _MAX_PORT


_is_host_cached = lru_cache(maxsize=1024)(_is_host)
