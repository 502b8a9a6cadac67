"""Text of bodies and query strings for the log, at level trace: bounded, and without job definitions and secrets."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote

from wfx import logs
from wfx.api.reply import RawHeader
from wfx.logs.secret_names import is_secret, is_secret_parameter

LONGEST = 16 * 1024
"""Bytes of a body that is shown; of a longer one only the length is."""
_WITHHELD = ("definition", "context")
"""Members that operators and devices fill with what they like, passwords included."""
_JSON = b"application/json"
_FILTERED = b"x-response-filter"


class BodyText:
    """Collects the pieces of a body, as far as it could be shown."""

    def __init__(self, *, is_definition: bool = False) -> None:
        """``is_definition`` tells that nothing but a definition is expected."""
        self._is_definition = is_definition
        self._pieces: list[bytes] = []
        self.size = 0

    def add(self, piece: bytes) -> None:
        """Take a piece."""
        self.size += len(piece)
        if self.size <= LONGEST:
            self._pieces.append(piece)
        else:
            self._pieces.clear()

    def text(self) -> str:
        """Return what is shown: a JSON document with masks, or how long it is."""
        if self._is_definition:
            return logs.mask("definition")
        document = b"".join(self._pieces) if self.size <= LONGEST else b""
        try:
            return json.dumps(_masked(json.loads(document)), ensure_ascii=False, separators=(",", ":"))
        except (ValueError, RecursionError):
            return f"({self.size} bytes, not shown)"


def is_json(headers: Iterable[RawHeader]) -> bool:
    """Tell whether an answer with these headers is a JSON document of the API, and not what a filter made of one."""
    fields = dict(headers)
    return fields.get(b"content-type", b"").startswith(_JSON) and _FILTERED not in fields


def query_text(query: bytes) -> str:
    """Return a decoded query string."""
    pairs = (pair.partition("=") for pair in query.decode("latin-1").split("&"))
    return "&".join(name + equals + _parameter(name, value) for name, equals, value in pairs)


def _parameter(name: str, value: str) -> str:
    if is_secret_parameter(unquote(name)):
        return logs.mask("secret")
    inner, equals, rest = unquote(value).partition("=")
    return inner + equals + (logs.mask("secret") if rest and is_secret(inner) else rest)


def _masked(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _member(name, member) for name, member in value.items()}
    return [_masked(item) for item in value] if isinstance(value, list) else value


def _member(name: str, value: Any) -> Any:
    if name.lower() in _WITHHELD:
        return logs.mask(name.lower())
    return logs.mask("secret") if is_secret(name) else _masked(value)
