"""Compiles the parameters of an action: texts with ``${…}``, formulas, and the expression that sets a variable."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wfx.expressions.closures import Closure
from wfx.expressions.errors import ExpressionError
from wfx.expressions.expression import Compiler, Purpose
from wfx.expressions.scope import Scope
from wfx.expressions.text_template import compile_template, is_template
from wfx.rules.declared_action import FORMULA
from wfx.rules.faults import Faults
from wfx.rules.own_actions import SET_OUTPUT
from wfx.rules.text_places import place_in
from wfx.rules.yaml_document import Mapping, Node, Scalar, Sequence


def compile_parameters(
    params: Mapping, path: str, kind: str, compiler: Compiler, faults: Faults, text: str
) -> Callable[[Scope], dict[str, Any]]:
    """Return what makes an action's parameters for an event. What is wrong is added to the faults."""
    parameters = _Parameters(compiler, faults, text)
    made: list[tuple[str, Closure]] = []
    for name, (mark, node) in params.entries.items():
        below = f"{path}.{name}"
        if kind == SET_OUTPUT and name == "expression":
            made += [(name, parameters.constant(node)), ("value", parameters.expression(node, below, Purpose.OUTPUT))]
        elif name.endswith(FORMULA):
            if name.removesuffix(FORMULA) in params.entries:
                faults.add(mark, below, f"{name.removesuffix(FORMULA)} is given as well")
            made.append((name.removesuffix(FORMULA), parameters.expression(node, below, Purpose.FORMULA)))
        else:
            made.append((name, parameters.value(node, below)))
    return lambda scope: {name: value(scope) for name, value in made}


class _Parameters:
    """Makes closures of the nodes of one file."""

    def __init__(self, compiler: Compiler, faults: Faults, text: str) -> None:
        self._compiler = compiler
        self._faults = faults
        self._text = text

    def value(self, node: Node, path: str) -> Closure:
        """Return what makes a value, with texts filled in."""
        match node:
            case Sequence(items=items):
                made = [self.value(item, f"{path}[{number}]") for number, item in enumerate(items)]
                return lambda scope: [item(scope) for item in made]
            case Mapping(entries=entries):
                members = {name: self.value(member, f"{path}.{name}") for name, (_, member) in entries.items()}
                return lambda scope: {name: member(scope) for name, member in members.items()}
            case Scalar(value=str() as text) if is_template(text):
                return self._guarded(
                    node, path, lambda: compile_template(text, lambda one: self._compiler.compile(one, Purpose.VALUE))
                )
        return self.constant(node)

    def constant(self, node: Node) -> Closure:
        """Return what gives a scalar as it is."""
        value = node.value if isinstance(node, Scalar) else None
        return lambda _: value

    def expression(self, node: Node, path: str, purpose: Purpose) -> Closure:
        """Return what evaluates a text that is an expression."""
        if isinstance(node, Scalar) and isinstance(node.value, str):
            text = node.value
            return self._guarded(node, path, lambda: self._compiler.compile(text, purpose).evaluate)
        if purpose is Purpose.FORMULA:  # that others must be texts is told by the type of the action
            self._faults.add(node.mark, path, "a formula is a text, such as payload.amount * 0.05")
        return self.constant(node)

    def _guarded(self, node: Scalar, path: str, make: Callable[[], Closure]) -> Closure:
        try:
            return make()
        except ExpressionError as exc:
            self._faults.add(place_in(node, exc.offset, self._text), path, str(exc))
            return self.constant(node)
