"""Rule files: read, checked as a whole, and compiled to a graph."""

from __future__ import annotations

from wfx.commandline.grammar import closest
from wfx.expressions.errors import ExpressionError
from wfx.expressions.expression import Compiler, Expression, Purpose
from wfx.rules.action_parameters import compile_parameters
from wfx.rules.action_types import ActionTypes, ParameterFault, faults_of
from wfx.rules.event import FATAL, JOB_TYPES
from wfx.rules.faults import Faults, Mark
from wfx.rules.graph import Action, Condition, Engine, Graph, Node, Scenario, graph_of
from wfx.rules.members import Members, shown
from wfx.rules.text_places import place_in
from wfx.rules.yaml_document import Mapping, Scalar, read, value_of
from wfx.rules.yaml_document import Node as YamlNode

VERSION = "v1"
DEEPEST = 32
"""Conditions inside conditions."""
_NUMBERS = {"event_workers": 1024, "action_workers": 1024, "queue_depth": 1_000_000, "event_timeout_ms": 600_000}
"""Numbers of the engine, and how large each may be."""


def load(content: bytes, compiler: Compiler, types: ActionTypes) -> Graph:
    """Return the graph of a rule file. Raises RulesInvalid with all that is wrong with it."""
    faults = Faults()
    document, text = read(content, faults)
    graph = None if document is None else _Reader(text, compiler, types, faults).graph(document)
    faults.check()
    assert graph is not None
    return graph


class _Reader:
    """Reads one file."""

    def __init__(self, text: str, compiler: Compiler, types: ActionTypes, faults: Faults) -> None:
        self._text = text
        self._compiler = compiler
        self._types = types
        self._faults = faults
        self._ids: dict[str, Mark] = {}

    def graph(self, document: YamlNode) -> Graph:
        """Return the graph, which is of use only if there are no faults."""
        file = Members(document, "", ("version", "engine", "scenarios"), self._faults)
        version = file.get("version", required=True)
        if version is not None and value_of(version) != VERSION:
            self._faults.add(version.mark, "version", f'{shown(version)} is not "{VERSION}"')
        engine = file.get("engine")
        scenarios = [self._scenario(node, path) for node, path in file.items("scenarios")]
        return graph_of(Engine() if engine is None else self._engine(engine), tuple(scenarios))

    def _engine(self, node: YamlNode) -> Engine:
        members = Members(node, "engine", (*_NUMBERS, "fail_open"), self._faults)
        numbers = {name: members.number(name, getattr(Engine(), name), most) for name, most in _NUMBERS.items()}
        return Engine(**numbers, fail_open=members.flag("fail_open", default=True))

    def _scenario(self, node: YamlNode, path: str) -> Scenario:
        known = ("id", "description", "enabled", "event_types", "sources", "children")
        members = Members(node, path, known, self._faults)
        return Scenario(
            id=self._id(members),
            description=members.text("description", required=False),
            enabled=members.flag("enabled", default=True),
            event_types=members.texts("event_types", wrong=_wrong_type),
            sources=frozenset(members.texts("sources", required=False)) if members.get("sources") else None,
            children=self._children(members, 1),
        )

    def _children(self, members: Members, depth: int) -> tuple[Node, ...]:
        found = [self._child(node, path, depth) for node, path in members.items("children")]
        return tuple(child for child in found if child is not None)

    def _child(self, node: YamlNode, path: str, depth: int) -> Node | None:
        members = Members(node, path, ("condition", "action"), self._faults)
        condition, action = members.get("condition"), members.get("action")
        if isinstance(node, Mapping) and (condition is None) is (action is None):
            self._faults.add(node.mark, path, "each child has either a condition or an action")
        elif condition is not None:
            return self._condition(condition, members.below("condition"), depth)
        elif action is not None:
            return self._action(action, members.below("action"))
        return None

    def _condition(self, node: YamlNode, path: str, depth: int) -> Node | None:
        if depth > DEEPEST:
            self._faults.add(node.mark, path, f"at most {DEEPEST} conditions stand inside each other")
            return None
        members = Members(node, path, ("id", "expression", "children"), self._faults)
        name, expression = self._id(members), members.get("expression", required=True)
        found = None if expression is None else self._expression(expression, members.below("expression"))
        children = self._children(members, depth + 1)
        return None if found is None else Condition(name, found, children)

    def _expression(self, node: YamlNode, path: str) -> Expression | None:
        if not isinstance(node, Scalar) or not isinstance(node.value, str):
            self._faults.add(node.mark, path, f'{shown(node)} is not of type "string"')
            return None
        try:
            return self._compiler.compile(node.value, Purpose.CONDITION)
        except ExpressionError as exc:
            self._faults.add(place_in(node, exc.offset, self._text), path, str(exc))
            return None

    def _action(self, node: YamlNode, path: str) -> Node | None:
        members = Members(node, path, ("id", "type", "params"), self._faults)
        name, kind, given = self._id(members), members.text("type"), members.get("params")
        params = Mapping(node.mark) if given is None else given
        found = self._types.get(kind)
        if found is None:
            if (type_node := members.get("type")) is not None and kind:
                text = f'there is no type of actions "{kind}"{closest(kind, list(self._types))}'
                self._faults.add(type_node.mark, members.below("type"), text)
            return None
        if not isinstance(params, Mapping):
            self._faults.add(params.mark, members.below("params"), f'{shown(params)} is not of type "object"')
            return None
        for fault in faults_of(found, value_of(params)):
            self._parameter_fault(fault, params, members.below("params"))
        made = compile_parameters(params, members.below("params"), found.type, self._compiler, self._faults, self._text)
        return Action(name, found, made)

    def _parameter_fault(self, fault: ParameterFault, params: Mapping, path: str) -> None:
        text, name = fault
        node = params.entries[name][1] if name in params.entries else params
        self._faults.add(node.mark, f"{path}.{name}" if name else path, text)

    def _id(self, members: Members) -> str:
        """Return the id of a scenario, condition or action, which no other one may have."""
        name = members.id()
        node = members.get("id")
        if node is not None and name:
            first = self._ids.setdefault(name, node.mark)
            if first != node.mark:
                self._faults.add(node.mark, members.below("id"), f'"{name}" is the id of another in line {first.line}')
        return name


def _wrong_type(name: str) -> str:
    """Return what is wrong with the type of events: those of the service are known."""
    if name.startswith("system.") and name != FATAL:
        return f'the service has no events "{name}", only {FATAL}'
    if not name.startswith("job.") or name in JOB_TYPES:
        return ""
    return f'jobs have no events "{name}"{closest(name, JOB_TYPES)}'
