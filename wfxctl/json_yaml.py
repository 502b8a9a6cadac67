"""YAML as another spelling of JSON: scalars are numbers, true, false and null as in JSON, and all others are texts."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode

from wfx.commandline.plain_yaml import InvalidYaml, RepeatedKey

_CORE = "tag:yaml.org,2002:"
_MOST_VALUES = 1_000_000
"""Values that a document with aliases may have when what these stand for is put in their place."""
_DEEPEST = 200
"""Levels of lists and mappings."""
_LONGEST_KEY = 100
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?\Z")


def load(content: bytes) -> Any:
    """Return what the only document says, with floats as numbers. Raises InvalidYaml with the place of the mistake."""
    try:
        has_aliases = _has_aliases(yaml.parse(content, _LOADER))
        found = yaml.load(content, _JsonLoader)  # noqa: S506  # it is a safe one
        if has_aliases:
            _require_bounded(found)
    except yaml.MarkedYAMLError as exc:
        raise InvalidYaml(str(exc), exc.problem_mark or exc.context_mark, exc.problem or "") from exc
    except (yaml.YAMLError, UnicodeDecodeError) as exc:
        raise InvalidYaml(" ".join(str(exc).split())) from exc
    return found


def _has_aliases(events: Iterator[yaml.Event]) -> bool:
    """Look for aliases. Raises InvalidYaml for what is nested so deeply that the loader, in C, would crash."""
    depth, found = 0, False
    for event in events:
        found = found or isinstance(event, yaml.AliasEvent)
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > _DEEPEST:
                mark: Any = event.start_mark
                raise InvalidYaml(f"it is nested too deeply: {_DEEPEST} levels at most", mark)
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
    return found


def _require_bounded(value: Any) -> None:
    """Raise InvalidYaml for a few aliases that stand for more than anybody could send."""
    left, pending = _MOST_VALUES, [value]
    while pending:
        one = pending.pop()
        inner = list(one.values()) if isinstance(one, dict) else one if isinstance(one, list) else []
        left -= len(inner)
        if left < 0:
            raise InvalidYaml(f"it has more than {_MOST_VALUES:,} values, with those of its aliases")
        pending += inner


def _number(loader: _JsonLoader, node: ScalarNode) -> float:
    text = loader.construct_scalar(node)
    value = float(text) if _NUMBER.match(text) else math.inf
    if math.isinf(value):
        raise InvalidYaml(f"number {text[:32]} is none of JSON, or out of range", node.start_mark)
    return value


def _sequence(loader: _JsonLoader, node: yaml.SequenceNode) -> list[Any]:
    return [loader.construct_object(item, deep=True) for item in node.value]


def _mapping(loader: _JsonLoader, node: MappingNode) -> dict[str, Any]:
    first: dict[str, Node] = {}
    for key in _keys(node):
        if (before := first.setdefault(key.value, key)) is not key:
            lines = f"in lines {before.start_mark.line + 1} and {key.start_mark.line + 1}"
            raise RepeatedKey(f'key "{key.value[:_LONGEST_KEY]}" is given twice, {lines}', key.start_mark)
    loader.flatten_mapping(node)
    return {
        key.value: loader.construct_object(value, deep=True)
        for key, (_, value) in zip(_keys(node), node.value, strict=True)
    }


def _keys(node: MappingNode) -> Iterator[ScalarNode]:
    for key, _ in node.value:
        if not isinstance(key, ScalarNode):
            raise InvalidYaml("a key must be a text", key.start_mark)
        yield key


def _refuse(_: _JsonLoader, node: Node) -> None:
    raise InvalidYaml(f"the tag {node.tag[:_LONGEST_KEY]} is for something that JSON has not", node.start_mark)


_Resolvers = dict[str, list[tuple[str, re.Pattern[str]]]]


def _resolvers() -> _Resolvers:
    null = (f"{_CORE}null", re.compile(r"(?:~|null|)\Z"))
    word = (f"{_CORE}bool", re.compile(r"(?:true|false)\Z"))
    number = (f"{_CORE}float", _NUMBER)
    merge = (f"{_CORE}merge", re.compile(r"<<\Z"))
    by_first = {"": [null], "~": [null], "n": [null], "t": [word], "f": [word], "<": [merge]}
    return by_first | {first: [number] for first in "-0123456789"}


_CONSTRUCTORS: dict[str | None, Callable[[Any, Any], Any]] = {
    f"{_CORE}null": lambda _, __: None,
    f"{_CORE}bool": lambda _, node: node.value == "true",
    f"{_CORE}float": _number,
    f"{_CORE}str": lambda loader, node: loader.construct_scalar(node),
    f"{_CORE}seq": _sequence,
    f"{_CORE}map": _mapping,
    None: _refuse,
}


class _JsonLoader(_LOADER):  # type: ignore[misc,valid-type]  # one of two classes
    """The safe loader, with the types of JSON alone."""

    yaml_implicit_resolvers = _resolvers()
    yaml_constructors = _CONSTRUCTORS
