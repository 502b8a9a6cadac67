"""Tells whether an event reaches an action of the rules: that is less than to evaluate it, and most events reach none.

Conditions with the same text at the same place are looked at once, in however many scenarios they stand. That changes
nothing: what conditions give may depend on what actions have set before, but no action comes before the first one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from wfx.expressions.closures import Closure
from wfx.expressions.scope import Scope
from wfx.rules.graph import Action, Condition, Node, Scenario


@dataclass(frozen=True, slots=True)
class Branch:
    """Conditions of several scenarios that are looked at once something holds."""

    is_end: bool
    """Whether an action is reached here."""
    ways: tuple[tuple[Closure, Branch], ...]
    """Conditions, and what is below each."""


def branch_of(scenarios: Iterable[Scenario], source: str) -> Branch:
    """Return where events from a source begin; the scenarios are those for their type."""
    for_source = (one for one in scenarios if one.sources is None or source in one.sources)
    return _joined(node for scenario in for_source for node in scenario.children)


def reaches(branch: Branch, scope: Scope) -> bool:
    """Tell whether an action is reached. Raises EvaluationError, and NotRead."""
    return branch.is_end or any(holds(scope) and reaches(below, scope) for holds, below in branch.ways)


def _joined(nodes: Iterable[Node]) -> Branch:
    by_text: dict[str, tuple[Condition, list[Node]]] = {}
    for node in nodes:
        if isinstance(node, Action):
            return Branch(is_end=True, ways=())
        by_text.setdefault(node.expression.text, (node, []))[1].extend(node.children)
    ways = ((condition.expression.evaluate, _joined(below)) for condition, below in by_text.values())
    return Branch(is_end=False, ways=tuple(ways))
