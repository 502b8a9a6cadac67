"""Drawings of the rules and of the way to them: Mermaid, and the graph format of flow-based programming tools."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from wfx.rules import request_way
from wfx.rules.graph import Action, Condition, Graph, Node, Scenario
from wfx.rules.own_actions import SET_OUTPUT

_SHORTENED = 80
_ESCAPES = {'"': "#quot;", "<": "#lt;", ">": "#gt;", "`": "#96;", "#": "#35;", "\\": "#92;"}
_SHAPES = {"Part": ('[["', '"]]'), "Event": ('(["', '"])'), "Scenario": ('["', '"]'), "Condition": ('{"', '"}')}
"""What stands around the labels of Mermaid; those of actions are parallelograms."""
_NO_NAME = re.compile(r"[^A-Za-z0-9_/-]")
"""Characters that names of components do not have in FBP."""


class Process(NamedTuple):
    """A node: a part of the service, where events come from, a scenario, a condition or an action."""

    name: str
    component: str
    """What kind of node it is; of an action, its type."""
    label: str
    module: str = ""
    """Where a part of the service is in the source."""


class Connection(NamedTuple):
    """An edge."""

    source: str
    port: str
    """What leads along it: ``out``, or ``true`` for what a condition lets pass."""
    target: str


def way() -> Iterator[Process]:
    """Yield the nodes of the way of a request."""
    for part in request_way.PARTS:
        yield Process(_part_node(part.name), "Part", f"{part.name}: {part.what}", part.module)


def processes(graph: Graph) -> Iterator[Process]:
    """Yield the nodes of the rules."""
    for name in _types(graph):
        yield Process(_type_node(name), "Event", name)
    for scenario in graph.scenarios:
        label = scenario.id if scenario.enabled else f"{scenario.id} (disabled)"
        yield Process(scenario.id, "Scenario", label)
        yield from _below(scenario.children)


def connections(graph: Graph) -> Iterator[Connection]:
    """Yield the edges: those of the way, from it to the rules, of the rules, and back to it."""
    for source, target in request_way.edges():
        yield Connection(_part_node(source), "out", _part_node(target))
    for name in _types(graph):
        yield Connection(_part_node(request_way.teller_of(name)), "out", _type_node(name))
    for scenario in graph.scenarios:
        for name in scenario.event_types:
            yield Connection(_type_node(name), "out", scenario.id)
        yield from _edges(scenario)


def mermaid(graph: Graph) -> str:
    """Return the graph as a flowchart of Mermaid."""
    groups = (("the way of a request", [*way()]), ("rules", [*processes(graph)]))
    names, lines = _numbered(graph), ["flowchart LR"]
    for number, (title, members) in enumerate(groups):
        lines.append(f'  subgraph g{number}["{title}"]')
        for one in members:
            before, after = _SHAPES.get(one.component, ('[/"', '"/]'))
            lines.append(f"    {names[one.name]}{before}{_escaped(one.label)}{after}")
        lines.append("  end")
    lines += [f"  {names[one.source]} --> {names[one.target]}" for one in connections(graph)]
    return "\n".join(lines) + "\n"


def as_document(graph: Graph) -> dict[str, Any]:
    """Return the graph in JSON, as NoFlo has it."""
    groups = {"way": [*way()], "rules": [*processes(graph)]}
    return {
        "caseSensitive": False,
        "properties": {"name": "rules"},
        "inports": {},
        "outports": {},
        "groups": [{"name": name, "nodes": [one.name for one in members]} for name, members in groups.items()],
        "processes": {
            one.name: {"component": one.component, "metadata": _metadata(one)}
            for members in groups.values()
            for one in members
        },
        "connections": [
            {"src": {"process": one.source, "port": one.port}, "tgt": {"process": one.target, "port": "in"}}
            for one in connections(graph)
        ],
    }


def _metadata(process: Process) -> dict[str, str]:
    return {"label": process.label} | ({"module": process.module} if process.module else {})


def fbp(graph: Graph) -> str:
    """Return the graph in the language FBP: a node in each line, then a connection in each line."""
    names, lines = _numbered(graph), list[str]()
    for one in (*way(), *processes(graph)):
        lines += [f"# {names[one.name]}: {_line(one.label)}", f"{names[one.name]}({_NO_NAME.sub('_', one.component)})"]
    lines += [f"{names[one.source]} {one.port.upper()} -> IN {names[one.target]}" for one in connections(graph)]
    return "\n".join(lines) + "\n"


def _numbered(graph: Graph) -> dict[str, str]:
    """Return names that every language allows."""
    return {one.name: f"n{number}" for number, one in enumerate((*way(), *processes(graph)))}


def _part_node(name: str) -> str:
    return f"wfx {name}"  # no id has a space


def _types(graph: Graph) -> list[str]:
    return list(dict.fromkeys(name for scenario in graph.scenarios for name in scenario.event_types))


def _type_node(name: str) -> str:
    return f"event {name}"


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
        elif child.type.type != SET_OUTPUT:
            yield Connection(child.id, "out", _part_node(request_way.EFFECTS))


def _escaped(text: str) -> str:
    line = _line(text)
    return "".join(_ESCAPES.get(character, character) for character in line)


def _line(text: str) -> str:
    """Return a text in one line, without its end if it is long."""
    line = "".join(character if character.isprintable() else " " for character in text)
    return line if len(line) <= _SHORTENED else line[:_SHORTENED] + "…"
