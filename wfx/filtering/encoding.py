"""Encoding of filter results as JSON text (rest-api section 11).

The text comes from a JSON encoder; what is left to do is the escaping of characters that could end a script element or
a line, and numbers: they are IEEE doubles (:mod:`wfx.jq_language.numbers`).
Only the standard library is used, because the sandboxed workers start without anything else.
"""

from __future__ import annotations

import re

from wfx.jq_language.numbers import text_of

FAILED = b"{}\n"
"""What stands in place of an output that failed."""

_ESCAPES = (
    (b"<", b"\\u003c"),
    (b">", b"\\u003e"),
    (b"&", b"\\u0026"),
    (b"\xe2\x80\xa8", b"\\u2028"),
    (b"\xe2\x80\xa9", b"\\u2029"),
)

_suspicious = re.compile(rb'[\[,:](?=[-0-9])(?<![^"]:)-?[0-9]+(?:[.eE]|(?<=[0-9]{16}))').search
"""Finds a member or element that may have to be rewritten, or a part of a string that looks like one: a cheap look."""

_STRING_OR_NUMBER = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|-?[0-9][0-9.eE+-]*')


def line(text: bytes) -> bytes:
    """Write one output. ``text`` is a compact JSON text; raises OverflowError when a number in it is infinite."""
    text = plain_numbers(text)
    if 0x3C in text or 0x3E in text or 0x26 in text or 0xE2 in text:  # the first bytes of the five characters
        for character, escape in _ESCAPES:
            text = text.replace(character, escape)
    return text + b"\n"


def plain_numbers(text: bytes) -> bytes:
    """Write each number of a compact JSON text as a double; raises OverflowError when one is infinite."""
    if text[0] in b"-0123456789" or _suspicious(text):
        return _STRING_OR_NUMBER.sub(_rewrite, text)
    return text


def _rewrite(match: re.Match[bytes]) -> bytes:
    token = match[0]
    if token[0] == ord('"') or (token.isdigit() and len(token) < 16):
        return token
    return text_of(float(token)).encode()
