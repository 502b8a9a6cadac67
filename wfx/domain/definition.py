"""Definitions: what a job is to do, as a free-form JSON object; its depth and its hash."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from hashlib import sha256
from typing import Any

from wfx.domain.job import Action, Change, Job, Status
from wfx.domain.json import Json, decode, encode
from wfx.domain.numbers import normalise

_SMALL = 4096
"""Bytes of a definition that is remembered."""


@dataclass(frozen=True, slots=True)
class Definition:
    """A definition as it is kept. Making it takes time in proportion to its size, so it is made before any decision."""

    encoded: Json
    hash: str

    @classmethod
    def of(cls, wanted: dict[str, Any]) -> Definition:
        """Take what a caller sent, as bodies are decoded: with whole numbers of at most 64 bit."""
        encoded = encode(wanted)
        return _made_lately(encoded) if len(encoded) <= _SMALL else _made(wanted, encoded)


@lru_cache(maxsize=256)
def _made_lately(encoded: Json) -> Definition:
    # A campaign sends the same definition to many devices, and hashing takes ten times as long as encoding.
    return _made(decode(encoded), encoded)


def _made(wanted: dict[str, Any], encoded: Json) -> Definition:
    canonical = _canonical_object(wanted)
    # There every number has an exponent; most definitions have none, and nothing to be made a double.
    plain = "E+" not in canonical and "E-" not in canonical
    return Definition(encoded if plain else encode(normalise(wanted)), _hash(canonical))


def decide(job: Job, wanted: Definition) -> Change:
    """Replace the definition as a whole, and its hash in the status with it (rest-api section 9.4)."""
    old = Status.from_wire(decode(job.status))
    status = Status(job.state, old.client_id, old.progress, old.message, old.context, wanted.hash)
    return Change(
        action=Action.UPDATE_DEFINITION,
        state=job.state,
        status=status.encoded,
        definition_hash=wanted.hash,
        definition=wanted.encoded,
        tags=job.tags,
    )


def hash_of(definition: dict[str, Any] | None) -> str:
    """Return the lower-case hex SHA-256 over the canonical form (rest-api section 7); None hashes like ``{}``.

    Recursive: nesting is to be bounded before, see :func:`depth_within`.
    """
    return _hash(_canonical_object(definition or {}))


def _hash(canonical: str) -> str:
    return sha256(canonical.encode()).hexdigest()


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
