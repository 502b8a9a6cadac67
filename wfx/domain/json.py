"""JSON documents that are kept encoded.

A definition, a status, a list of tags: most of their life these are stored, logged and sent, seldom looked into. So they
travel as the bytes they are stored as, and whoever needs to look inside decodes.
"""

from __future__ import annotations

from typing import Any, NewType

import orjson

Json = NewType("Json", bytes)
"""One compact, valid, UTF-8 encoded JSON value. Never empty."""


def encode(value: Any) -> Json:
    """Encode a value of dicts, lists, strings, numbers, booleans and None compactly."""
    return Json(orjson.dumps(value))


def decode(document: Json) -> Any:
    """Decode what :func:`encode` made."""
    return orjson.loads(document)
