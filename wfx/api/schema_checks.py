"""Validation of decoded request bodies against a JSON Schema."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import jsonschema_rs

_NO_NUL = "must not contain U+0000"
_READ_ONLY = "is read-only and must not be sent"
OWN_WORDS = (_NO_NUL, _READ_ONLY)
"""Reasons that nobody words better."""


@dataclass(frozen=True, slots=True)
class BodyValidator:
    """What one operation demands of its body."""

    is_valid: Callable[[Any], bool]
    """Whether a decoded body is as the document says; takes microseconds."""
    validate: Callable[[Any], None]
    """Raises jsonschema_rs.ValidationError with the first thing that is wrong."""

    @classmethod
    def of(cls, schema: dict[str, Any]) -> BodyValidator:
        """Compile a schema of draft 4. Strings are counted in code points, and ``1.0`` is no integer."""
        checker = jsonschema_rs.Draft4Validator(schema, pattern_options=jsonschema_rs.RegexOptions())
        return cls(checker.is_valid, checker.validate)

    def complaint(self, value: Any) -> str:
        """Say what is wrong with a body and where; the empty string if nothing is."""
        try:
            self.validate(value)
        except jsonschema_rs.ValidationError as exc:
            return at(exc.instance_path, _reason(exc))
        return ""


def at(path: Iterable[str | int], reason: str) -> str:
    """Put the place, as a JSON pointer, before the reason."""
    pointer = "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in path)
    return f"the body at {pointer}: {reason}" if pointer else f"the body: {reason}"


def _reason(error: jsonschema_rs.ValidationError) -> str:
    match error.kind:
        case jsonschema_rs.ValidationErrorKind.Pattern() if "\x00" in str(error.instance):
            return _NO_NUL
        case jsonschema_rs.ValidationErrorKind.Not():
            return _READ_ONLY
    return error.message
