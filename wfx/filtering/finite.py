"""Interpreter of jq programs that always end, in this process.

A program is a pipe of stages, a stage a list of alternatives, an alternative a leaf or a pipe in parentheses. A leaf is
a function from one value to the list of its outputs; it has no loop but those over the value, so it ends.

Every part carries its ``growth``, a bound that holds for every value: where b is the size of the value's text (as
:mod:`wfx.filtering.encoding` writes it), the texts of all outputs have together at most ``growth * (b + 1)`` bytes,
each with one byte for a separator, and less than ``growth * (b + 1)`` steps are taken to produce them. Values may share
parts and are never changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

import orjson

from wfx.filtering import encoding


class Failure(Exception):
    """A leaf cannot be applied to this value."""


class _Failed:
    """The type of :data:`FAILED`."""


FAILED: Final = _Failed()
"""Stands in the place of an output that failed; passes through the rest of the pipe untouched."""

_GONE: Final = object()

Step = str | int | None
"""A member's name, an index, or None for every element."""

Path = tuple[tuple[Step, bool], ...]
"""Steps, each with whether a failure of it is to be swallowed (``?``)."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """One indivisible operation: all of its outputs, or :class:`Failure`."""

    outputs: Callable[[Any], list[Any]]
    growth: int
    single: bool = True
    """Whether there is at most one output."""

    def attempt(self, value: Any) -> list[Any]:
        """Give the outputs, or one FAILED."""
        try:
            return self.outputs(value)
        except Failure:
            return [FAILED]


@dataclass(frozen=True, slots=True)
class Pipe:
    """Stages in a row, each feeding every output to all alternatives of the next."""

    stages: tuple[tuple[Leaf | Pipe, ...], ...]

    @property
    def growth(self) -> int:
        """The product over the stages of the sum over their alternatives."""
        product = 1
        for stage in self.stages:
            product *= sum(part.growth for part in stage)
        return product

    @property
    def single(self) -> bool:
        """Whether there is at most one output."""
        return all(len(stage) == 1 and stage[0].single for stage in self.stages)

    def outputs(self, value: Any) -> list[Any]:
        """Give the outputs; raises Failure at the first part that fails."""
        values = [value]
        for stage in self.stages:
            values = [output for value in values for part in stage for output in part.outputs(value)]
        return values

    def attempt(self, value: Any) -> list[Any]:
        """Give the outputs, with FAILED in the place of each that failed."""
        values = [value]
        for stage in self.stages:
            following: list[Any] = []
            for fed in values:
                if fed is FAILED:
                    following.append(fed)
                    continue
                for part in stage:
                    following += part.attempt(fed)
            values = following
        return values


def run(program: Leaf | Pipe, document: bytes) -> bytes:
    """Run over a JSON text, one line an output; raises orjson.JSONEncodeError on values nested over 250 levels deep."""
    outputs = program.attempt(orjson.loads(document))
    return b"".join([encoding.FAILED if output is FAILED else _text(output) for output in outputs])


def _text(value: Any) -> bytes:
    return encoding.line(orjson.dumps(value, option=orjson.OPT_SORT_KEYS))


def literal(value: Any) -> Leaf:
    """Give ``value`` whatever comes in."""
    return Leaf(lambda _: [value], len(_text(value)))


def path(steps: Path) -> Leaf:
    """Walk from the value along ``steps``."""

    def walk(value: Any) -> list[Any]:
        values = [value]
        for step, optional in steps:
            values = [child for value in values for child in _children(value, step, optional)]
        return values

    return Leaf(walk, max(2, 1 + len(steps)), single=all(step is not None for step, _ in steps))


def _children(value: Any, step: Step, optional: bool) -> Iterable[Any]:
    if isinstance(step, str) and isinstance(value, dict):
        return (value.get(step),)
    if isinstance(step, int) and isinstance(value, list):
        return (value[step] if -len(value) <= step < len(value) else None,)
    if step is None and isinstance(value, list):
        return value
    if step is None and isinstance(value, dict):
        return [value[name] for name in sorted(value)]
    if step is not None and value is None:
        return (None,)
    if optional:
        return ()
    raise Failure


def without(paths: tuple[Path, ...]) -> Leaf:
    """Delete everything at ``paths``, all at once (``del``)."""

    def delete(value: Any) -> list[Any]:
        if names and isinstance(value, dict):
            return [{name: child for name, child in value.items() if name not in names}]
        doomed: dict[Any, Any] = {}
        for steps in paths:
            _mark(value, steps, doomed)
        return [_prune(value, doomed)]

    plain = all(len(steps) == 1 and isinstance(steps[0][0], str) for steps in paths)
    names = frozenset(steps[0][0] for steps in paths) if plain else frozenset()
    return Leaf(delete, 1 + sum(len(steps) for steps in paths))


def _mark(value: Any, steps: Path, doomed: dict[Any, Any]) -> None:
    """Note in ``doomed``, a tree of names and indexes, what ``steps`` lead to."""
    (step, optional), rest = steps[0], steps[1:]
    for key, child in _places(value, step, optional):
        if not rest:
            doomed[key] = _GONE
        elif doomed.get(key) is _GONE:
            _mark(child, rest, {})  # already noted; but the walk may still fail
        else:
            _mark(child, rest, doomed.setdefault(key, {}))


def _places(value: Any, step: Step, optional: bool) -> Iterable[tuple[Any, Any]]:
    if step is None and isinstance(value, dict):
        return value.items()
    if step is None and isinstance(value, list):
        return enumerate(value)
    return [(step, child) for child in _children(value, step, optional)]


def _prune(value: Any, doomed: dict[Any, Any]) -> Any:
    """Copy ``value`` without what is ``doomed``; parts that nothing is taken from are shared."""
    if isinstance(value, dict):
        kept = {name: child for name, child in value.items() if doomed.get(name) is not _GONE}
        return {name: _prune(child, doomed[name]) if name in doomed else child for name, child in kept.items()}
    if isinstance(value, list):
        return [
            _prune(child, doomed[index]) if index in doomed else child
            for index, child in enumerate(value)
            if doomed.get(index) is not _GONE
        ]
    return value


def array(content: Leaf | Pipe | None) -> Leaf:
    """Collect the outputs of ``content`` in a list."""
    if content is None:
        return Leaf(lambda _: [[]], 2)
    return Leaf(lambda value: [content.outputs(value)], content.growth + 1)


def mapped(content: Leaf | Pipe) -> Leaf:
    """Collect the outputs of ``content`` for every element (``map``)."""

    def collect(value: Any) -> list[Any]:
        return [[output for child in _children(value, None, optional=False) for output in content.outputs(child)]]

    return Leaf(collect, 2 * content.growth + 1)


def members(parts: dict[str, Leaf | Pipe]) -> Leaf:
    """Build an object; every part must be ``single``, and where one has no output there is no object."""

    def build(value: Any) -> list[Any]:
        built = {}
        for name, part in parts.items():
            outputs = part.outputs(value)
            if not outputs:
                return []
            built[name] = outputs[0]
        return [built]

    names = sum(len(_text(name)) + 1 for name in parts)
    return Leaf(build, 2 + names + sum(part.growth for part in parts.values()))


def compared(operand: Leaf | Pipe, scalar: Any, *, equal: bool) -> Leaf:
    """Tell whether the output of a ``single`` operand is equal (or not) to a string, number, boolean or null."""

    def same(value: Any) -> bool:
        return value == scalar and isinstance(value, bool) == isinstance(scalar, bool)

    return Leaf(lambda value: [same(output) is equal for output in operand.outputs(value)], 3 * operand.growth)


def selected(condition: Leaf | Pipe) -> Leaf:
    """Pass the value on if the ``single`` condition gives anything but false and null (``select``)."""

    def select(value: Any) -> list[Any]:
        return [value for verdict in condition.outputs(value) if _truth(verdict)]

    return Leaf(select, 1 + condition.growth)


def contained(key: str | int) -> Leaf:
    """Tell whether an object has the member, or an array the index (``has``)."""

    def has(value: Any) -> list[Any]:
        if isinstance(key, str) and isinstance(value, dict):
            return [key in value]
        if isinstance(key, int) and isinstance(value, list):
            return [0 <= key < len(value)]
        if value is None:
            return [False]
        raise Failure

    return Leaf(has, 3)


def _truth(value: Any) -> bool:
    return value is not None and value is not False


def _length(value: Any) -> list[Any]:
    if isinstance(value, bool):
        raise Failure
    if value is None:
        return [0]
    return [abs(value)] if isinstance(value, int | float) else [len(value)]


def _keys(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [sorted(value)]
    if isinstance(value, list):
        return [list(range(len(value)))]
    raise Failure


_TYPES = {dict: "object", list: "array", str: "string", int: "number", float: "number", bool: "boolean"}

FUNCTIONS = {
    "empty": Leaf(lambda _: [], 2),
    "keys": Leaf(_keys, 5),
    "length": Leaf(_length, 2),
    "not": Leaf(lambda value: [not _truth(value)], 3),
    "type": Leaf(lambda value: [_TYPES.get(type(value), "null")], 5),
}
"""The functions without arguments, by name."""
