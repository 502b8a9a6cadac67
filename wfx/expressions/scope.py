"""Scope of an evaluation: the event, the variables that were set, and what is known beside the event."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol

from wfx.expressions.values import Value


class NotRead(Exception):
    """An expression asks for a member of the payload that was not read."""


class User(NamedTuple):
    """A person of the directory."""

    user_id: str
    email: str
    groups: tuple[str, ...]


class Facts(Protocol):
    """What expressions may ask beside the event. It must not change while an event is evaluated."""

    def score(self, actor_id: str) -> float:
        """Return the points of an actor, 0 for one who has none."""
        ...

    def sequence(self, key: str) -> int:
        """Return the last number that was drawn from a sequence, 0 if none was."""
        ...

    def user(self, user_id: str) -> User | None:
        """Return a user."""
        ...

    def members(self, groups: Iterable[str]) -> Iterable[User]:
        """Return the users who are in any of the groups, each once."""
        ...


@dataclass(frozen=True, slots=True)
class KnownFacts:
    """Facts that are given as a whole; nothing is known unless it is given."""

    scores: Mapping[str, float] = field(default_factory=dict)
    sequences: Mapping[str, int] = field(default_factory=dict)
    users: tuple[User, ...] = ()

    def score(self, actor_id: str) -> float:
        """Return the points of an actor."""
        return self.scores.get(actor_id, 0)

    def sequence(self, key: str) -> int:
        """Return the last number that was drawn from a sequence."""
        return self.sequences.get(key, 0)

    def user(self, user_id: str) -> User | None:
        """Return a user."""
        return next((user for user in self.users if user.user_id == user_id), None)

    def members(self, groups: Iterable[str]) -> Iterable[User]:
        """Return the users who are in any of the groups."""
        wanted = set(groups)
        return [user for user in self.users if wanted.intersection(user.groups)]


MOST_SET = 262_144
"""Characters and values of all variables that are set for an event."""


@dataclass(slots=True)
class Scope:
    """What an expression can read, and the few things that it may leave."""

    payload: dict[str, Value]
    meta: dict[str, Value]
    event: dict[str, Value]
    now: datetime
    """When the event is evaluated; with a time zone."""
    facts: Facts
    outputs: dict[str, Value] = field(default_factory=dict)
    """Variables that were set for all that follows, and that the result of the evaluation tells."""
    transient: dict[str, Value] = field(default_factory=dict)
    """Variables that were set for all that follows."""
    local: dict[str, Value] = field(default_factory=dict)
    """Variables that were set for the rest of the scenario."""
    drawn: dict[str, int] = field(default_factory=dict)
    """The last number drawn from each sequence in this evaluation."""
    room: int = MOST_SET
    """Characters and values that may still be set."""
    unread: frozenset[str] = frozenset()
    """Members that the payload has, but that were not read; who asks for one gets NotRead."""

    def in_payload(self, path: Sequence[str]) -> tuple[bool, Value]:
        """Return whether something stands at a path in the payload, and what. Raises NotRead."""
        if self.unread and (not path or path[0] in self.unread):
            raise NotRead(".".join(path))
        return member(self.payload, path)

    def variable(self, name: str) -> tuple[bool, Value]:
        """Return whether there is a variable, and its value: one that was set, or of the event."""
        for variables in (self.local, self.transient, self.outputs):
            if name in variables:
                return True, variables[name]
        first, *path = name.split(".")
        if first == "payload":
            return self.in_payload(path)
        spaces = {"meta": self.meta, "event": self.event}
        return member(spaces[first], path) if first in spaces else self.in_payload((name,))

    def draw(self, key: str) -> int:
        """Return the next number of a sequence."""
        number = self.drawn.get(key) or self.facts.sequence(key)
        self.drawn[key] = number + 1
        return number + 1


def member(value: Value, path: Iterable[str]) -> tuple[bool, Value]:
    """Return whether something stands at a path of names and places in lists, and what."""
    for name in path:
        if type(value) is dict and name in value:
            value = value[name]
        elif type(value) is list and name.isdecimal() and name.isascii() and len(name) < 10 and int(name) < len(value):
            value = value[int(name)]
        else:
            return False, None
    return True, value
