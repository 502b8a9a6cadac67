"""Readers of YAML nodes that add a fault, at its place, for what is not as it should be."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from wfx.commandline.grammar import closest
from wfx.rules.faults import Faults
from wfx.rules.yaml_document import Mapping, Node, Scalar, Sequence

_LONGEST_TEXT = 1000
_ID = re.compile(r"[A-Za-z0-9_.:-]{1,128}\Z")


class Members:
    """The members of a mapping of the rule file."""

    def __init__(self, node: Node, path: str, known: tuple[str, ...], faults: Faults) -> None:
        """Take a node; it is a fault if that is no mapping, or has unknown keys."""
        self.node = node
        self.path = path
        self._faults = faults
        self._entries = node.entries if isinstance(node, Mapping) else {}
        self._prefix = f"{path}." if path else ""
        if not isinstance(node, Mapping):
            faults.add(node.mark, path, f'{shown(node)} is not of type "object"')
        for key, (mark, _) in self._entries.items():
            if key not in known:
                faults.add(mark, path, f'unknown key "{key[:60]}"{closest(key, known)}')

    def below(self, name: str) -> str:
        """Return the path of a member."""
        return self._prefix + name

    def get(self, name: str, *, required: bool = False) -> Node | None:
        """Return the node of a member; it is a fault if one is missing that is required."""
        found = self._entries.get(name)
        if found is None and required and isinstance(self.node, Mapping):
            self._faults.add(self.node.mark, self.path, f'"{name}" is missing')
        return found[1] if found else None

    def text(self, name: str, *, required: bool = True) -> str:
        """Return a text that is not empty; nothing if there is none, which is a fault if it is required."""
        node = self.get(name, required=required)
        return "" if node is None else text_of(node, self.below(name), self._faults)

    def id(self) -> str:
        """Return the member ``id``."""
        node = self.get("id", required=True)
        text = "" if node is None else text_of(node, self.below("id"), self._faults)
        if node is not None and text and not _ID.match(text):
            self._faults.add(node.mark, self.below("id"), "an id has up to 128 letters, digits and _ . : -")
        return text

    def flag(self, name: str, default: bool) -> bool:
        """Return true or false."""
        node = self.get(name)
        if node is None:
            return default
        if isinstance(node, Scalar) and isinstance(node.value, bool):
            return node.value
        self._faults.add(node.mark, self.below(name), f'{shown(node)} is not of type "boolean"')
        return default

    def number(self, name: str, default: int, most: int) -> int:
        """Return a whole number from 1 on."""
        node = self.get(name)
        if node is None:
            return default
        if not isinstance(node, Scalar) or type(node.value) is not int:
            self._faults.add(node.mark, self.below(name), f'{shown(node)} is not of type "integer"')
            return default
        if not 1 <= node.value <= most:
            self._faults.add(node.mark, self.below(name), f"{node.value} is not from 1 to {most}")
        return node.value

    def items(self, name: str, *, required: bool = True) -> Iterator[tuple[Node, str]]:
        """Yield the items of a list, with their paths; it is a fault if there are none."""
        node = self.get(name, required=required)
        if isinstance(node, Sequence):
            if not node.items:
                self._faults.add(node.mark, self.below(name), "the list is empty")
            yield from ((item, f"{self.below(name)}[{number}]") for number, item in enumerate(node.items))
        elif node is not None:
            self._faults.add(node.mark, self.below(name), f'{shown(node)} is not of type "array"')

    def texts(self, name: str, *, required: bool = True, wrong: Callable[[str], str] = lambda _: "") -> tuple[str, ...]:
        """Return the texts of a list, each given once; ``wrong`` tells what is wrong with one, or nothing."""
        found: list[str] = []
        for node, path in self.items(name, required=required):
            text = text_of(node, path, self._faults)
            if text and text in found:
                self._faults.add(node.mark, path, f'"{text}" is given twice')
            if said := wrong(text):
                self._faults.add(node.mark, path, said)
            found.append(text)
        return tuple(found)


def text_of(node: Node, path: str, faults: Faults) -> str:
    """Return a text, which is neither empty nor long; nothing, and a fault, for anything else."""
    if not isinstance(node, Scalar) or not isinstance(node.value, str):
        faults.add(node.mark, path, f'{shown(node)} is not of type "string"')
        return ""
    if not node.value:
        faults.add(node.mark, path, "the text is empty")
    elif len(node.value) > _LONGEST_TEXT:
        faults.add(node.mark, path, f"the text has {len(node.value)} characters, and may have {_LONGEST_TEXT}")
    return node.value


def shown(node: Node) -> str:
    """Return how messages call a node."""
    if isinstance(node, Mapping):
        return "an object"
    if isinstance(node, Sequence):
        return "a list"
    if isinstance(node.value, str):
        return f'"{node.value[:60]}"'
    return "null" if node.value is None else str(node.value).lower()
