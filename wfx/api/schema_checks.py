"""Validation of decoded request bodies against a JSON Schema."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any

import jsonschema_rs

from wfx.api.bad_request import MOST_FAULTS, BodyFault
from wfx.api.schema_rules import rule_of

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
    iter_errors: Callable[[Any], Iterable[jsonschema_rs.ValidationError]] = lambda _: ()
    """Goes through all that is wrong."""

    @classmethod
    def of(cls, schema: dict[str, Any]) -> BodyValidator:
        """Compile a schema of draft 4. Strings are counted in code points, and ``1.0`` is no integer."""
        checker = jsonschema_rs.Draft4Validator(schema, pattern_options=jsonschema_rs.RegexOptions())
        return cls(checker.is_valid, checker.validate, checker.iter_errors)

    def complaint(self, value: Any) -> str:
        """Say what is wrong with a body and where; the empty string if nothing is."""
        fault = self.fault(value)
        return "" if fault is None else fault.text

    def fault(self, value: Any) -> BodyFault | None:
        """Say what is wrong with a body and where; None if nothing is."""
        try:
            self.validate(value)
        except jsonschema_rs.ValidationError as exc:
            return _fault(exc)
        return None

    def faults(self, value: Any) -> list[BodyFault]:
        """Say what is wrong with a body, up to as much as is told: the most important first."""
        first, others = self.fault(value), islice(self.iter_errors(value), MOST_FAULTS)
        return [] if first is None else [*dict.fromkeys((first, *map(_fault, others)))]


def pointer_to(path: Iterable[str | int]) -> str:
    """Write a place in a document as a JSON Pointer."""
    return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in path)


def _fault(error: jsonschema_rs.ValidationError) -> BodyFault:
    reason = _reason(error)
    return BodyFault(pointer_to(error.instance_path), reason, "" if reason in OWN_WORDS else rule_of(error))


def _reason(error: jsonschema_rs.ValidationError) -> str:
    match error.kind:
        case jsonschema_rs.ValidationErrorKind.Pattern() if "\x00" in str(error.instance):
            return _NO_NUL
        case jsonschema_rs.ValidationErrorKind.Not():
            return _READ_ONLY
    return error.message
