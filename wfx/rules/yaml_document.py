"""Reader of YAML that keeps the place of everything, and takes nothing of YAML that a reader could misunderstand.

Refused are keys that are given twice, anchors, aliases, tags, further documents, and more than a bound of bytes and
levels. Plain scalars are numbers, ``true``, ``false`` and ``null`` as in JSON; all others are texts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from wfx.rules.faults import Faults, Mark

LARGEST = 1024 * 1024
"""Bytes of a file."""
DEEPEST = 128
"""Levels of lists and mappings."""
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})\Z")
_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,30})?(?:[eE][+-]?[0-9]{1,2})?\Z")
_WORDS = {"": None, "~": None, "null": None, "true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Scalar:
    """A text, number, true, false or null."""

    mark: Mark
    value: str | int | float | bool | None
    index: int = 0
    """Where it begins in the text of the file, with its quotes."""
    style: str = ""
    """``"``, ``'``, ``|``, ``>``, or nothing."""


@dataclass(slots=True)
class Sequence:
    """A list."""

    mark: Mark
    items: list[Node] = field(default_factory=list)


@dataclass(slots=True)
class Mapping:
    """Keys and values, in their order."""

    mark: Mark
    entries: dict[str, tuple[Mark, Node]] = field(default_factory=dict)
    """By key: where the key stands, and the value."""


Node = Scalar | Sequence | Mapping


def value_of(node: Node) -> Any:
    """Return what a node holds, without the places."""
    match node:
        case Scalar(value=value):
            return value
        case Sequence(items=items):
            return [value_of(item) for item in items]
        case Mapping(entries=entries):
            return {key: value_of(value) for key, (_, value) in entries.items()}


def read(content: bytes, faults: Faults) -> tuple[Node | None, str]:
    """Return the document, None if it cannot be read, and its text. What is wrong is added to the faults."""
    if len(content) > LARGEST:
        faults.add(Mark(1, 1), "", f"the file has {len(content):,} bytes, and may have {LARGEST:,}")
        return None, ""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        line = content.count(b"\n", 0, exc.start) + 1
        column = exc.start - (content.rfind(b"\n", 0, exc.start) + 1) + 1
        faults.add(Mark(line, column), "", "the file is no text in UTF-8")
        return None, ""
    try:
        return _Composer(faults).compose(yaml.parse(text, _LOADER)), text
    except _Unreadable as exc:
        faults.add(exc.mark, "", str(exc))
    except yaml.MarkedYAMLError as exc:
        mark = exc.problem_mark or exc.context_mark
        faults.add(_mark(mark) if mark else Mark(1, 1), "", f"this is no YAML: {exc.problem or exc.context}")
    except yaml.YAMLError as exc:
        faults.add(Mark(1, 1), "", f"this is no YAML: {str(exc).partition(chr(10))[0]}")
    return None, text


class _Unreadable(ValueError):
    """The rest of the file is not worth reading."""

    def __init__(self, mark: Mark, text: str) -> None:
        super().__init__(text)
        self.mark = mark


class _Composer:
    """Makes nodes of YAML's events, without recursion."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._open: list[Sequence | Mapping] = []
        self._keys: list[tuple[Mark, str | None] | None] = []
        """For each open node: the key whose value is next, None as its text if it was refused."""
        self._root: Node | None = None

    def compose(self, events: Iterator[Event]) -> Node:
        """Return the only document."""
        documents = 0
        for event in events:
            if isinstance(event, DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise _Unreadable(_mark(event.start_mark), "another document begins here: a file has one")
            elif isinstance(event, NodeEvent):
                self._add(event)
            elif isinstance(event, MappingEndEvent | SequenceEndEvent):
                self._open.pop()
                self._keys.pop()
        if self._root is None:
            raise _Unreadable(Mark(1, 1), "the file is empty")
        return self._root

    def _add(self, event: NodeEvent) -> None:
        mark = _mark(event.start_mark)
        if isinstance(event, AliasEvent) or event.anchor is not None:
            self._faults.add(mark, "", "anchors (&) and aliases (*) are not used in rule files: write it out")
        tag = getattr(event, "tag", None)
        if tag is not None and tag != "!":
            self._faults.add(mark, "", f"tags such as {tag[:60]} are not used in rule files")
        if self._open and isinstance(self._open[-1], Mapping) and self._keys[-1] is None:
            self._keys[-1] = (mark, self._key(event, mark))
            if isinstance(event, MappingStartEvent | SequenceStartEvent):
                raise _Unreadable(mark, "a key is a text")
            return
        node = _node(event, mark)
        self._place(node)
        if not isinstance(node, Scalar):
            if len(self._open) >= DEEPEST:
                raise _Unreadable(mark, f"it is nested too deeply: at most {DEEPEST} levels")
            self._open.append(node)
            self._keys.append(None)

    def _key(self, event: NodeEvent, mark: Mark) -> str | None:
        """Return a key, or None if its value is not to be kept."""
        parent = self._open[-1]
        if not isinstance(event, ScalarEvent) or not isinstance(parent, Mapping):
            return None
        key = str(event.value)
        if key not in parent.entries:
            return key
        first = parent.entries[key][0].line
        self._faults.add(mark, "", f'key "{key[:60]}" is given twice, first in line {first}')
        return None

    def _place(self, node: Node) -> None:
        if not self._open:
            self._root = node
            return
        parent = self._open[-1]
        if isinstance(parent, Sequence):
            parent.items.append(node)
        elif (key := self._keys[-1]) is not None:
            self._keys[-1] = None
            if key[1] is not None:
                parent.entries[key[1]] = (key[0], node)


def _node(event: NodeEvent, mark: Mark) -> Node:
    if isinstance(event, SequenceStartEvent):
        return Sequence(mark)
    if isinstance(event, MappingStartEvent):
        return Mapping(mark)
    if not isinstance(event, ScalarEvent):
        return Scalar(mark, None)
    is_plain = not event.style and event.tag is None
    value = _plain(event.value) if is_plain else event.value
    start: Any = event.start_mark
    return Scalar(mark, value, start.index, event.style or "")


def _plain(text: str) -> str | int | float | bool | None:
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.match(text):
        return int(text)
    return float(text) if _DECIMAL.match(text) else text


def _mark(mark: Any) -> Mark:
    return Mark(mark.line + 1, mark.column + 1)
