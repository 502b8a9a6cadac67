"""Text of bodies and query strings for the log, at level trace: bounded, and without job definitions and secrets."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from itertools import pairwise
from typing import Any
from urllib.parse import unquote

from wfx import logs
from wfx.api.reply import RawHeader
from wfx.logs.secret_names import is_secret, is_secret_parameter

LONGEST = 16 * 1024
"""Bytes of a body that is shown; of a longer one only the length is."""
_JSON = b"application/json"
_FILTERED = b"x-response-filter"
_FACTS = "nflow_data"
"""A member that is a text of JSON in kept runs of scripts, and in nothing else."""
_OF_KEPT_RUNS = (_FACTS, "payload", "value", "error")
"""Members of a kept run that are texts, which may contain definitions and contexts."""
_BETWEEN = re.compile("([&?;])")
"""What is between parameters of a query string within a value."""


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
    return "&".join(map(_pair, query.decode("latin-1").split("&")))


def _pair(pair: str) -> str:
    encoded, equals, value = pair.partition("=")
    name = _decoded(encoded)
    if not equals or "=" in name:
        return _parameters(_decoded(pair))
    shown = _parameters(_decoded(value))
    return name + equals + (logs.mask("secret") if is_secret_parameter(name) else shown)


def _parameters(text: str) -> str:
    """Return a decoded value, which may have parameters itself."""
    return "".join(map(_parameter, _BETWEEN.split(text)))


def _parameter(text: str) -> str:
    name, equals, value = text.partition("=")
    return name + equals + (logs.mask("secret") if value and is_secret_parameter(name) else value)


def _decoded(text: str) -> str:
    """Decode a part of a query string, in which ``+`` is a blank, unless it is part of something that looks secret."""
    if "+" not in text:
        return unquote(text)
    plain = unquote(text)
    shown = logs.shown(plain)
    if shown != plain:
        return shown.replace("+", " ")
    pieces = [unquote(piece) for piece in text.split("+")]
    return pieces[0] + "".join(_plus(*pair) + pair[1] for pair in pairwise(pieces))


def _plus(before: str, behind: str) -> str:
    """Return what a ``+`` stands for; in front of a number at the beginning of a word it is meant as it is."""
    return "+" if behind[:1].isdigit() and not before[-1:].isalnum() else " "


def _masked(value: Any) -> Any:
    if isinstance(value, dict):
        if isinstance(value.get(_FACTS), str):
            value = {name: _length(member) if name in _OF_KEPT_RUNS else member for name, member in value.items()}
        return {logs.shown(name): _member(name, member) for name, member in value.items()}
    if isinstance(value, list):
        return [_masked(item) for item in value]
    return logs.shown(value) if isinstance(value, str) else value


def _length(value: Any) -> Any:
    return f"({len(value)} characters, not shown)" if isinstance(value, str) else value


def _member(name: str, value: Any) -> Any:
    if logs.is_withheld(name.lower()):
        return logs.mask(name.lower())
    return logs.mask("secret") if is_secret(name) else _masked(value)
