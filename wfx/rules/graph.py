"""Graph of the rules: immutable, indexed by the type of events."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from wfx.expressions.expression import Expression
from wfx.expressions.scope import Scope
from wfx.rules.action_types import ActionType, effect_of


@dataclass(frozen=True, slots=True)
class Engine:
    """How events are worked on."""

    event_workers: int = 32
    action_workers: int = 16
    queue_depth: int = 10_000
    event_timeout_ms: int = 5_000
    fail_open: bool = True
    """Whether a condition that fails only ends its branch; else the event does nothing."""


@dataclass(frozen=True, slots=True)
class Condition:
    """What must hold for all that is below it."""

    id: str
    expression: Expression
    children: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Action:
    """Something to do."""

    id: str
    type: ActionType
    parameters: Callable[[Scope], dict[str, object]]
    """Makes its parameters for an event. Raises EvaluationError."""


Node = Condition | Action


@dataclass(frozen=True, slots=True)
class Scenario:
    """Conditions and actions for events of some types."""

    id: str
    description: str
    enabled: bool
    event_types: tuple[str, ...]
    sources: frozenset[str] | None
    """Whose events are meant; None means all."""
    children: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Graph:
    """All scenarios."""

    engine: Engine
    scenarios: tuple[Scenario, ...]
    by_type: Mapping[str, tuple[Scenario, ...]]
    """The enabled ones by the types of events that they are for."""


def actions_of(nodes: Sequence[Node]) -> Iterator[Action]:
    """Yield all actions of nodes, and of those below them."""
    for node in nodes:
        if isinstance(node, Condition):
            yield from actions_of(node.children)
        else:
            yield node


def scenarios_with(graph: Graph, effect: str) -> Sequence[str]:
    """Return the ids of the enabled scenarios that have an action with this effect."""
    return [
        each.id
        for each in graph.scenarios
        if each.enabled and any(effect_of(action.type) == effect for action in actions_of(each.children))
    ]


def graph_of(engine: Engine, scenarios: tuple[Scenario, ...]) -> Graph:
    """Return the graph of the scenarios."""
    by_type: dict[str, list[Scenario]] = {}
    for scenario in scenarios:
        if scenario.enabled:
            for name in dict.fromkeys(scenario.event_types):
                by_type.setdefault(name, []).append(scenario)
    return Graph(engine, scenarios, MappingProxyType({name: tuple(found) for name, found in by_type.items()}))
