"""Words for what a JSON Schema demands: the rule that a value breaks, and a short value behind it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import jsonschema_rs

_LONGEST = 40
"""Characters of a value that is repeated."""
_FORMATS = {"date-time": "must be a time such as 2026-07-01T12:00:00Z"}
PATTERNS = {
    "^[A-Za-z0-9][A-Za-z0-9._/-]*$": (
        "must begin with a letter or digit of ASCII, and have nothing else but these and . _ / -"
    ),
    "^[a-zA-Z0-9_.-]+$": "must consist of letters and digits of ASCII and _ . -",
    "^[^\\u0000-\\u001f\\u007f,]+$": "must have a character, and neither commas nor control characters",
    "^[^\\u0000-\\u001f\\u007f]+$": "must have a character, and no control characters",
    "^[^\\u0000-\\u001f\\u007f]*$": "must not have control characters",
    "^[0-9A-Za-z_-]*$": "must be as an answer told it",
    "^[A-Za-z0-9][A-Za-z0-9._/-]*:[^\\u0000-\\u001f\\u007f,]+$": (
        "must be a name, a colon and a value: the name begins with a letter or digit of ASCII, and has nothing else "
        "but these and . _ / -; the value has neither commas nor control characters"
    ),
    "^[ -~]*$": "must have printable characters of ASCII alone",
}
"""What patterns of bodies and parameters demand, in words; there are others for U+0000."""
_RULES: dict[str, Callable[[Any], str]] = {
    "type": lambda kind: f"must be of type {' or '.join(kind.types)}",
    "format": lambda kind: _FORMATS.get(kind.format, f"must be of the format {kind.format}"),
    "enum": lambda kind: f"must be one of {', '.join(map(str, kind.options))}",
    "minimum": lambda kind: f"must be at least {kind.limit}",
    "maximum": lambda kind: f"must be at most {kind.limit}",
    "pattern": lambda kind: PATTERNS.get(kind.pattern, f"must match {kind.pattern}"),
    "required": lambda kind: f"'{kind.property}' is missing",
    "additionalProperties": lambda kind: f"there is no member {', '.join(map(repr, kind.unexpected))}",
    "uniqueItems": lambda _: "must not have an item twice",
    "minLength": lambda kind: _at_least(kind.limit, "characters"),
    "maxLength": lambda kind: f"must have {kind.limit:,} characters at most",
    "minItems": lambda kind: _at_least(kind.limit, "items"),
    "maxItems": lambda kind: f"must have {kind.limit:,} items at most",
    "minProperties": lambda kind: _at_least(kind.limit, "members"),
    "maxProperties": lambda kind: f"must have {kind.limit:,} members at most",
}
"""By the keyword of the schema."""


def rule_of(error: jsonschema_rs.ValidationError) -> str:
    """Say which rule a value breaks; empty for keywords that the documents do not have."""
    say = _RULES.get(error.kind.name)
    if say is None:
        return ""
    rule, told = say(error.kind), _told(error.instance)
    return f"{rule}, and is {told}" if rule.startswith("must be ") and told else rule


def _at_least(limit: int, what: str) -> str:
    return "must not be empty" if limit == 1 else f"must have {limit:,} {what} at least"


def _told(value: object) -> str:
    """Show a short value as it was sent; nothing of a long one, or of one with parts."""
    if isinstance(value, dict | list):
        return ""
    told = json.dumps(value, ensure_ascii=False)
    return told if len(told) <= _LONGEST else ""
