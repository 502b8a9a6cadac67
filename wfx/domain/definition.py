"""Job definitions: free-form JSON objects, their canonical form and their hash."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import Any

from wfx.domain.job import Action, Change, Job
from wfx.domain.json import Json, decode, encode
from wfx.domain.numbers import encode_free_form

_EXACT = 1 << 53
"""Integers up to here are doubles without loss."""
_FEW_KEYS = 32
"""Members of an object whose order is remembered."""
_SHORT_KEYS = 1024
"""Characters that their names may have together."""
_SMALL = 4096
"""Bytes of a definition that is remembered."""
DEEPEST = 100
"""Levels of nesting that a document may have; what comes later (storing, hashing, filtering) relies on it."""


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
    # There every number has an exponent; many definitions have none, and nothing to be made a double.
    plain = "E" not in canonical or ("E+" not in canonical and "E-" not in canonical)
    return Definition(encoded if plain else encode_free_form(wanted), _hash(canonical))


def decide(job: Job, wanted: Definition) -> Change:
    """Replace the definition as a whole, and its hash in the status with it (rest-api section 9.4)."""
    return Change(
        action=Action.UPDATE_DEFINITION,
        state=job.state,
        status=_rehashed(job.status, job.definition_hash, wanted.hash),
        definition_hash=wanted.hash,
        definition=wanted.encoded,
        tags=job.tags,
    )


def _rehashed(status: Json, old: str, new: str) -> Json:
    """Exchange the hash in a status, which may have megabytes of context, without looking at the rest.

    Behind the member with the hash come only strings and numbers. In a string every quote has a backslash before it, so
    the last place that looks like the member is the member.
    """
    mark = '"definitionHash":"%s"'
    before, found, after = status.rpartition((mark % old).encode())
    assert found, "every status of a job has the hash of its definition"
    return Json(b"%b%b%b" % (before, (mark % new).encode(), after))


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
    if not members:
        return "[]"
    keys = tuple(members)
    few = len(keys) <= _FEW_KEYS and sum(map(len, keys)) <= _SHORT_KEYS
    order = _order_remembered(keys) if few else _order(keys)
    pairs = [f"{quoted}:{_CANONICAL[type(value := members[key])](value)}" for quoted, key in order]
    return f"[{','.join(pairs)}]"


def _order(keys: Sequence[str]) -> Sequence[tuple[str, str]]:
    """Sort keys with the quotes around, as the rule says. The order of code points is the order of UTF-8 bytes."""
    return sorted([(f'"{key}"', key) for key in keys])


@lru_cache(maxsize=1024)
def _order_remembered(keys: tuple[str, ...]) -> Sequence[tuple[str, str]]:
    # Objects in an array mostly have the same members.
    return _order(keys)


def _canonical_array(items: list[Any]) -> str:
    return "[" + ",".join([_CANONICAL[type(item)](item) for item in items]) + "]" if items else "[]"


def _canonical_integer(number: int) -> str:
    if (known := _FEW.get(number)) is not None:
        return known
    if not -_EXACT <= number <= _EXACT:
        return _canonical_real(float(number))
    if number < 0:
        return "-" + _canonical_integer(-number)
    digits = str(number)
    return _scientific(digits.rstrip("0"), len(digits) - 1)


def _canonical_real(number: float) -> str:
    """Write a double with the fewest digits that identify it, which are those that Python writes."""
    text = repr(number)
    if text[0] == "-":
        return "-" + _canonical_real(-number)
    if "e" in text:
        return text.upper()
    whole, _, fraction = text.partition(".")
    if whole != "0":
        return _scientific((whole + fraction).rstrip("0"), len(whole) - 1)
    digits = fraction.lstrip("0")
    return _scientific(digits, len(digits) - len(fraction) - 1) if digits else "0E+00"


def _scientific(digits: str, exponent: int) -> str:
    if len(digits) == 1:
        return digits + _EXPONENTS[exponent]
    return f"{digits[0]}.{digits[1:]}{_EXPONENTS[exponent]}"


_EXPONENTS = {exponent: f"E{exponent:+03}" for exponent in range(-5, 18)}
"""Of numbers that Python writes without an exponent."""
_FEW = {0: "0E+00", **{number: _scientific(str(number).rstrip("0"), len(str(number)) - 1) for number in range(1, 1000)}}
"""Numbers that come often."""
_CANONICAL: dict[type, Callable[[Any], str]] = {
    dict: _canonical_object,
    list: _canonical_array,
    str: lambda text: f'"{text}"',
    bool: lambda truth: "t" if truth else "f",
    type(None): lambda _: "<invalid Value>",
    int: _canonical_integer,
    float: _canonical_real,
}
