"""Filters of device lists: expressions over the document of a device."""

from __future__ import annotations

from datetime import datetime

from wfx.commandline.grammar import closest
from wfx.domain.device import Device
from wfx.domain.device_json import document_of
from wfx.expressions.errors import EvaluationError, ExpressionError
from wfx.expressions.expression import Compiler, Purpose
from wfx.expressions.functions import Functions
from wfx.expressions.library import OWN
from wfx.expressions.names import refuse_function
from wfx.expressions.scope import KnownFacts, Scope
from wfx.expressions.tokens import Token
from wfx.expressions.tree import Field
from wfx.expressions.values import ValueKind
from wfx.store.device_lists import LOOKED_AT

MOST_STEPS = 5_000
"""Steps of one evaluation."""
_STEPS_OF_REQUEST = 100_000
_STEPS_OF_TURN = 5_000
"""Steps after which the event loop may run other tasks: one or two milliseconds."""
_FUNCTION_PREFIXES = ("flw.math.", "flw.string.", "flw.time.")
"""Prefixes of the functions that filters may call; none of these makes long texts."""
_KINDS = {
    "clientId": ValueKind.TEXT,
    "firstSeen": ValueKind.TEXT,
    "lastSeen": ValueKind.TEXT,
    "version": ValueKind.TEXT,
    "currentJob": ValueKind.OBJECT,
    "lastResult": ValueKind.OBJECT,
    "attributes": ValueKind.OBJECT,
    "labels": ValueKind.LIST,
}
"""Members of a device."""
_JOB_MEMBERS = ("id", "workflow", "group", "state", "mtime")
_NO_FACTS = KnownFacts()


class _DeviceNames:
    """Names of filters: members of a device, whose document is the payload of the scope.

    Names of attributes may have dots; with other characters they are keys.
    """

    def field(self, token: Token) -> Field:
        """Return what a name stands for. Raises ExpressionError."""
        first, *rest = token.text.split(".")
        if ":" in token.text or first == "flw":
            refuse_function(token)
        if first not in _KINDS:
            said = closest(first, list(_KINDS))
            raise ExpressionError(f"a device has no {token.shown}, only {', '.join(_KINDS)}{said}", token.offset)
        if not rest:
            return Field(token.offset, ("payload", first), _KINDS[first])
        return self._member(token.offset, first, ".".join(rest))

    def keyed(self, token: Token, key: str) -> Field | None:
        """Return what ``name["key"]`` stands for; None for a name that takes none. Raises ExpressionError."""
        return self._member(token.offset, token.text, key) if _KINDS.get(token.text) is ValueKind.OBJECT else None

    def _member(self, offset: int, first: str, name: str) -> Field:
        if _KINDS[first] is not ValueKind.OBJECT:
            raise ExpressionError(f"{first} is {_KINDS[first].value} and has no member {name[:60]}", offset)
        if first != "attributes" and name not in _JOB_MEMBERS:
            known = [f"{first}.{member}" for member in _JOB_MEMBERS]
            said = closest(f"{first}.{name}", known)
            raise ExpressionError(f"{first} has no {name[:60]}, only {', '.join(known)}{said}", offset)
        return Field(offset, ("payload", first, name), ValueKind.TEXT)


_COMPILER = Compiler(
    Functions(one for one in OWN if one.name.startswith(_FUNCTION_PREFIXES)),
    names=_DeviceNames(),
    most_steps=MOST_STEPS,
)


class DeviceFilter:
    """A condition on devices."""

    def __init__(self, text: str) -> None:
        """Compile it. Raises ExpressionError."""
        self._expression = _COMPILER.compile(text, Purpose.CONDITION)
        steps = max(self._expression.steps, 1)
        self.most_devices = min(LOOKED_AT, _STEPS_OF_REQUEST // steps)
        """Devices that one request may look at."""
        self.devices_per_turn = max(_STEPS_OF_TURN // steps, 1)
        """Devices after which the event loop may run other tasks."""

    def accepts(self, device: Device, now: datetime) -> bool:
        """Tell whether the condition is true for a device; if it cannot be evaluated, it is not."""
        scope = Scope(document_of(device), {}, {}, now, _NO_FACTS)
        try:
            return self._expression.evaluate(scope) is True
        except EvaluationError:
            return False
