"""YAML loader that leaves all scalars as text.

Of several documents the first one counts, as the reference has it. A key that a mapping has twice is refused: which of
the two is meant is anybody's guess.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

_KEPT = {"tag:yaml.org,2002:null", "tag:yaml.org,2002:merge"}
_RESOLVERS = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag in _KEPT]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_LONGEST_KEY = 100


class InvalidYaml(ValueError):
    """A text is no YAML that could be read."""

    def __init__(self, text: str, mark: yaml.Mark | None = None, problem: str = "") -> None:
        """Say what is wrong, with the place in it; and where that is, if it is known, and the problem alone."""
        super().__init__(text)
        self.problem = problem or text
        self.line = 0 if mark is None else mark.line + 1
        """From 1; 0 if it is not known."""
        self.column = 0 if mark is None else mark.column + 1


class RepeatedKey(InvalidYaml):
    """A mapping has a key twice; the message names it and both lines."""


class _Loader(yaml.SafeLoader):
    """The safe loader, less the guesses at types."""

    yaml_implicit_resolvers = _RESOLVERS

    def compose_mapping_node(self, anchor: Any) -> MappingNode:
        """Compose a mapping and look at its own keys: later, others may be merged in, which its own ones replace."""
        node: MappingNode = super().compose_mapping_node(anchor)
        first: dict[str, Node] = {}
        for key, _ in node.value:
            if isinstance(key, ScalarNode) and (before := first.setdefault(key.value, key)) is not key:
                name = key.value[:_LONGEST_KEY]
                lines = f"in lines {before.start_mark.line + 1} and {key.start_mark.line + 1}"
                raise RepeatedKey(f'key "{name}" is given twice, {lines}', key.start_mark)
        return node


def load(content: bytes, *, alone: bool = False) -> Any:
    """Return mappings, lists, strings and None. Raises InvalidYaml with the place of the mistake.

    ``alone`` refuses a second document.
    """
    return load_with_lines(content, alone=alone)[0]


def load_with_lines(content: bytes, *, alone: bool = False) -> tuple[Any, Node | None]:
    """Return what :func:`load` does, and what :func:`line_at` needs. Raises as it does."""
    try:
        loader = _Loader(content)
        node = loader.get_node() if loader.check_node() else None
        is_last = loader.check_event(yaml.StreamEndEvent)  # what follows must be the end, or another document
        if alone and not is_last:
            raise InvalidYaml(f"another document begins in line {loader.line + 1}")
        return (None if node is None else loader.construct_document(node)), node
    except RecursionError as exc:
        raise InvalidYaml("it is nested too deeply") from exc
    except (yaml.YAMLError, UnicodeDecodeError) as exc:
        for mark in (getattr(exc, "context_mark", None), getattr(exc, "problem_mark", None)):
            if mark is not None:
                mark.buffer = None  # else the message would quote the line, which may have a password
        mark = getattr(exc, "problem_mark", None) or getattr(exc, "context_mark", None)
        raise InvalidYaml(" ".join(str(exc).split()), mark, getattr(exc, "problem", None) or "") from exc


def line_at(node: Node | None, place: Iterable[str | int]) -> int:
    """Return the line, from 1, of what stands at a place; as far as the document has it."""
    return line_and_column_at(node, place)[0]


def line_and_column_at(node: Node | None, place: Iterable[str | int]) -> tuple[int, int]:
    """Return line and column, from 1, of what stands at a place; as far as the document has it."""
    found = node
    for step in place:
        inner = _inner(node, step)
        if inner is None:
            break
        found, node = inner
    return (1, 1) if found is None else (found.start_mark.line + 1, found.start_mark.column + 1)


def _inner(node: Node | None, step: str | int) -> tuple[Node, Node] | None:
    """Return the node where an item begins, which is the key if it has one, and the item's own node."""
    if isinstance(node, SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step], node.value[step]
    if isinstance(node, MappingNode):
        return next(((key, value) for key, value in node.value if key.value == step), None)
    return None
