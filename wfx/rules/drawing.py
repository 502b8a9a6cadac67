"""Drawings of the rules: Mermaid for people, and the graph format of flow-based programming tools."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from wfx.rules.graph import Action, Condition, Graph, Node, Scenario

_SHORTENED = 80
_ESCAPES = {'"': "#quot;", "<": "#lt;", ">": "#gt;", "`": "#96;", "#": "#35;", "\\": "#92;"}
_SHAPES = {"Event": ('(["', '"])'), "Scenario": ('["', '"]'), "Condition": ('{"', '"}')}
"""What stands around the labels of Mermaid; those of actions are parallelograms."""


class Process(NamedTuple):
    """A node: where events come from, a scenario, a condition or an action."""

    name: str
    component: str
    """What kind of node it is; of an action, its type."""
    label: str


class Connection(NamedTuple):
    """An edge."""

    source: str
    port: str
    """What leads along it: ``out``, or ``true`` for what a condition lets pass."""
    target: str


def processes(graph: Graph) -> Iterator[Process]:
    """Yield the nodes."""
    for name in _types(graph):
        yield Process(_type_node(name), "Event", name)
    for scenario in graph.scenarios:
        label = scenario.id if scenario.enabled else f"{scenario.id} (disabled)"
        yield Process(scenario.id, "Scenario", label)
        yield from _below(scenario.children)


def connections(graph: Graph) -> Iterator[Connection]:
    """Yield the edges."""
    for scenario in graph.scenarios:
        for name in scenario.event_types:
            yield Connection(_type_node(name), "out", scenario.id)
        yield from _edges(scenario)


def mermaid(graph: Graph) -> str:
    """Return the rules as a flowchart of Mermaid."""
    numbers = {process.name: f"n{number}" for number, process in enumerate(processes(graph))}
    lines = ["flowchart LR"]
    for process in processes(graph):
        before, after = _SHAPES.get(process.component, ('[/"', '"/]'))
        lines.append(f"  {numbers[process.name]}{before}{_escaped(process.label)}{after}")
    lines += [f"  {numbers[one.source]} --> {numbers[one.target]}" for one in connections(graph)]
    return "\n".join(lines) + "\n"


def as_document(graph: Graph) -> dict[str, Any]:
    """Return the rules as a graph in JSON, as NoFlo has it."""
    return {
        "caseSensitive": True,
        "properties": {"name": "rules"},
        "inports": {},
        "outports": {},
        "processes": {
            one.name: {"component": one.component, "metadata": {"label": one.label}} for one in processes(graph)
        },
        "connections": [
            {"src": {"process": one.source, "port": one.port}, "tgt": {"process": one.target, "port": "in"}}
            for one in connections(graph)
        ],
    }


def fbp(graph: Graph) -> str:
    """Return the rules in the language FBP, a connection in each line."""
    names = {one.name: f"n{number}" for number, one in enumerate(processes(graph))}
    lines = [f"# {names[one.name]}: {_line(one.label)}" for one in processes(graph)]
    components = {one.name: one.component for one in processes(graph)}
    told: set[str] = set()

    def named(name: str) -> str:
        if name in told:
            return names[name]
        told.add(name)
        return f"{names[name]}({components[name]})"

    lines += [f"{named(one.source)} {one.port.upper()} -> IN {named(one.target)}" for one in connections(graph)]
    return "\n".join(lines) + "\n"


def _types(graph: Graph) -> list[str]:
    return list(dict.fromkeys(name for scenario in graph.scenarios for name in scenario.event_types))


def _type_node(name: str) -> str:
    return f"event {name}"  # no id has a space


def _below(nodes: tuple[Node, ...]) -> Iterator[Process]:
    for node in nodes:
        if isinstance(node, Condition):
            yield Process(node.id, "Condition", node.expression.text)
            yield from _below(node.children)
        else:
            yield Process(node.id, node.type.type, f"{node.id}: {node.type.type}")


def _edges(node: Scenario | Condition) -> Iterator[Connection]:
    port = "true" if isinstance(node, Condition) else "out"
    for child in node.children:
        yield Connection(node.id, port, child.id)
        if not isinstance(child, Action):
            yield from _edges(child)


def _escaped(text: str) -> str:
    line = _line(text)
    return "".join(_ESCAPES.get(character, character) for character in line)


def _line(text: str) -> str:
    """Return a text in one line, without its end if it is long."""
    line = "".join(character if character.isprintable() else " " for character in text)
    return line if len(line) <= _SHORTENED else line[:_SHORTENED] + "…"
