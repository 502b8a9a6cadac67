"""Definitions: what a job is to do, as a free-form JSON object; its depth and its hash."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from operator import itemgetter
from typing import Any

from wfx.domain.job import Action, Change, Job
from wfx.domain.json import Json, decode, encode
from wfx.domain.numbers import normalise

_EXACT = 1 << 53
"""Integers up to here are doubles without loss."""
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
    # Sorted with the quotes around, as the rule says. The order of code points is the order of UTF-8 bytes.
    pairs = sorted([(f'"{key}"', value) for key, value in members.items()], key=_KEY)
    return "[" + ",".join([f"{key}:{_CANONICAL[type(value)](value)}" for key, value in pairs]) + "]"


def _canonical_array(items: list[Any]) -> str:
    return "[" + ",".join([_CANONICAL[type(item)](item) for item in items]) + "]" if items else "[]"


@lru_cache(maxsize=4096)
def _canonical_integer(number: int) -> str:
    if not -_EXACT <= number <= _EXACT:
        return _canonical_real(float(number))
    sign, digits = ("-", str(-number)) if number < 0 else ("", str(number))
    return _scientific(sign, digits.rstrip("0") or "0", len(digits) - 1)


def _canonical_real(number: float) -> str:
    """Write a double with the fewest digits that identify it, which are those that Python writes."""
    text = repr(number)
    if "e" in text:
        return text.upper()
    sign, text = ("-", text[1:]) if text[0] == "-" else ("", text)
    whole, _, fraction = text.partition(".")
    if whole != "0":
        return _scientific(sign, (whole + fraction).rstrip("0"), len(whole) - 1)
    digits = fraction.lstrip("0")
    return _scientific(sign, digits, len(digits) - len(fraction) - 1) if digits else f"{sign}0E+00"


def _scientific(sign: str, digits: str, exponent: int) -> str:
    point = "." if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{point}{digits[1:]}E{exponent:+03}"


_KEY = itemgetter(0)
_CANONICAL: dict[type, Callable[[Any], str]] = {
    dict: _canonical_object,
    list: _canonical_array,
    str: lambda text: f'"{text}"',
    bool: lambda truth: "t" if truth else "f",
    type(None): lambda _: "<invalid Value>",
    int: _canonical_integer,
    float: _canonical_real,
}
