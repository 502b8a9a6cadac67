"""Definitions: what a job is to do, as a free-form JSON object; its numbers, its depth and its hash."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from hashlib import sha256
from math import copysign
from operator import is_
from typing import Any

from wfx.domain.job import Action, Change, Job, Status
from wfx.domain.json import decode, encode

_EXACT = 1 << 53
"""Integers up to here are doubles without loss."""
_PRINTABLE = range(-(1 << 63), 1 << 64)
"""Integers that the JSON codec can print."""


def decide(job: Job, definition: dict[str, Any]) -> Change:
    """Replace the definition as a whole, and its hash in the status with it (rest-api section 9.4)."""
    fresh = hash_of(definition)
    old = Status.from_wire(decode(job.status))
    status = Status(job.state, old.client_id, old.progress, old.message, old.context, fresh)
    return Change(
        action=Action.UPDATE_DEFINITION,
        state=job.state,
        status=status.encoded,
        definition_hash=fresh,
        definition=encode(normalise(definition)),
        tags=job.tags,
    )


def hash_of(definition: dict[str, Any] | None) -> str:
    """Return the lower-case hex SHA-256 over the canonical form (rest-api section 7); None hashes like ``{}``.

    Recursive: nesting is to be bounded before, see :func:`depth_within`.
    """
    return sha256(_canonical_object(definition or {}).encode()).hexdigest()


def normalise(value: Any) -> Any:
    """Return the value with every number as a double would show it (rest-api section 2); itself if it is so already.

    A whole number is an int as far as the codec can print it, ``-0.0`` keeps its sign. Nothing is changed in place.
    Raises OverflowError for an integer that no double can hold. Recursive like :func:`hash_of`.
    """
    change = _NORMALISERS.get(type(value))
    return value if change is None else change(value)


def depth_within(value: Any, limit: int) -> bool:
    """Tell whether objects and arrays are nested at most ``limit`` deep; a scalar has depth 0. Not recursive."""
    level = [value] if type(value) in _CONTAINERS else []
    for _ in range(limit):
        if not level:
            return True
        level = [
            child
            for outer in level
            for child in (outer.values() if type(outer) is dict else outer)
            if type(child) in _CONTAINERS
        ]
    return not level


_CONTAINERS = frozenset({dict, list})


def _object(members: dict[str, Any]) -> dict[str, Any]:
    changed = {
        key: new
        for key, old in members.items()
        if (change := _NORMALISERS.get(type(old))) and (new := change(old)) is not old
    }
    return members | changed if changed else members


def _array(items: list[Any]) -> list[Any]:
    new = [item if (change := _NORMALISERS.get(type(item))) is None else change(item) for item in items]
    return items if all(map(is_, items, new)) else new


def _integer(number: int) -> int | float:
    return number if -_EXACT <= number <= _EXACT else _real(float(number))


def _real(number: float) -> int | float:
    if not number.is_integer() or (number == 0 and copysign(1, number) < 0):
        return number
    if -_EXACT <= number <= _EXACT:
        return int(number)
    # The shortest digits that give this double again, filled up with zeros: what programs that print doubles show.
    whole = int(Decimal(repr(number)))
    return whole if whole in _PRINTABLE else number


_NORMALISERS: dict[type, Callable[[Any], Any]] = {dict: _object, list: _array, int: _integer, float: _real}


def _canonical_object(members: dict[str, Any]) -> str:
    # Sorted with the quotes around, as the rule says. The order of code points is the order of UTF-8 bytes.
    pairs = sorted([(f'"{key}"', value) for key, value in members.items()], key=_key)
    return "[" + ",".join([f"{key}:{_CANONICAL[type(value)](value)}" for key, value in pairs]) + "]"


def _key(pair: tuple[str, Any]) -> str:
    return pair[0]


def _canonical_number(number: float) -> str:
    mantissa, _, exponent = f"{Decimal(repr(float(number))).normalize():E}".partition("E")
    return f"{mantissa}E{exponent[0]}{exponent[1:]:0>2}"


_CANONICAL: dict[type, Callable[[Any], str]] = {
    dict: _canonical_object,
    list: lambda items: "[" + ",".join([_CANONICAL[type(item)](item) for item in items]) + "]",
    str: lambda text: f'"{text}"',
    bool: lambda truth: "t" if truth else "f",
    type(None): lambda _: "<invalid Value>",
    int: _canonical_number,
    float: _canonical_number,
}
