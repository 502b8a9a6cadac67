"""Types of actions whose parameters are a table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from wfx.commandline.grammar import closest
from wfx.expressions.text_template import is_template
from wfx.expressions.values import NUMBERS
from wfx.rules.action_types import ParameterFault, Parameters, Plan
from wfx.rules.event import Event

FORMULA = "_formula"
"""End of a parameter's name whose text is a formula; the value is that of the parameter without it."""


_LONGEST = 100


class Form(Enum):
    """What a parameter holds; the value is what messages call it."""

    TEXT = "a text"
    NUMBER = "a number"
    TEXTS = "a list of texts"
    OBJECT = "an object"
    ANY = "a value"

    def fits(self, value: Any) -> bool:
        """Tell whether a value has this form; a text must not be empty."""
        match self:
            case Form.TEXT:
                return isinstance(value, str) and value != ""
            case Form.NUMBER:
                return type(value) in NUMBERS
            case Form.TEXTS:
                return isinstance(value, list) and bool(value) and all(isinstance(one, str) and one for one in value)
            case Form.OBJECT:
                return isinstance(value, dict)
            case Form.ANY:
                return True


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of an action."""

    name: str
    form: Form
    summary: str
    required: bool = False
    choices: tuple[str, ...] = ()
    default: Callable[[Event], Any] | None = None
    """Takes from the event what the rule does not give; nothing if that is None."""
    check: Callable[[str], str] = lambda _: ""
    """Returns what is wrong with a text, which may be one of a list, or nothing."""

    def wrong(self, value: Any) -> str:
        """Return what is wrong with a value, or nothing."""
        if not self.form.fits(value):
            return f"{self.form.value} is needed, not {_shown(value)}"
        if self.choices and value not in self.choices:
            return f"{_shown(value)} is none of {', '.join(self.choices)}{closest(str(value), self.choices)}"
        texts = value if self.form is Form.TEXTS else [value] if isinstance(value, str) else []
        return next(filter(None, map(self.check, texts)), "")


@dataclass(frozen=True, slots=True)
class DeclaredAction:
    """A type of actions, by its table of parameters."""

    type: str
    summary: str
    parameters: tuple[Parameter, ...]
    message: Callable[[Mapping[str, Any]], str]
    """Makes what the result will say of the planned parameters."""
    _by_name: dict[str, Parameter] = field(init=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        """Index the table."""
        self._by_name.update({one.name: one for one in self.parameters})

    def validate(self, parameters: Parameters) -> Iterator[ParameterFault]:
        """Yield what is wrong with the parameters in a file."""
        given = {name.removesuffix(FORMULA) for name in parameters}
        for name, value in parameters.items():
            known = self._by_name.get(name.removesuffix(FORMULA))
            if known is None:
                hint = closest(name, list(self._by_name))
                yield ParameterFault(f"unknown parameter, which {self.type} does not have{hint}", name)
            elif name.endswith(FORMULA):
                if known.form is not Form.NUMBER:
                    yield ParameterFault(f"{known.name} is {known.form.value}, and a formula gives a number", name)
            elif not _is_open(value) and (wrong := known.wrong(value)):
                yield ParameterFault(wrong, name)
        for one in self.parameters:
            if one.required and one.default is None and one.name not in given:
                either = f" or {one.name}{FORMULA}" if one.form is Form.NUMBER else ""
                yield ParameterFault(f"{one.name}{either} is missing")

    def plan(self, parameters: Parameters, event: Event) -> Plan:
        """Return what to do for an event. Raises ValueError."""
        planned: dict[str, Any] = {}
        for one in self.parameters:
            value = parameters.get(one.name)
            if one.name not in parameters and one.default is not None:
                value = one.default(event)
                if one.required and value in (None, ""):
                    raise ValueError(f"{one.name} is missing, and the event has none")
            if value is None and not one.required and (one.default is None or one.name not in parameters):
                continue
            if wrong := one.wrong(value):
                raise ValueError(f"{one.name}: {wrong}")
            planned[one.name] = value
        return Plan(planned, self.message(planned))


def _is_open(value: Any) -> bool:
    """Tell whether the value depends on the event."""
    if isinstance(value, list):
        return any(isinstance(one, str) and is_template(one) for one in value)
    return isinstance(value, str) and is_template(value)


def _shown(value: Any) -> str:
    match value:
        case str():
            text = f'"{value}"'
        case list():
            text = "a list of other things" if value else "an empty list"
        case dict():
            text = "an object"
        case None:
            text = "null"
        case _:
            text = str(value).lower()
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
