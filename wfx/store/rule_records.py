"""Records that rules leave beside jobs: tasks, points, sequences, and how often actions were taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from wfx.domain.cause import EncodedCause
from wfx.domain.json import Json
from wfx.domain.timestamp import Timestamp


class TaskState(StrEnum):
    """Where a task stands."""

    WAITING = "WAITING"
    RUNNING = "RUNNING"
    DONE = "DONE"
    FAILED = "FAILED"


class NewTask(NamedTuple):
    """Work to be done later."""

    key: str
    """Unique for ever: a second one with it is left out."""
    kind: str
    input: Json
    due: Timestamp
    cause: EncodedCause


class ScoreEntry(NamedTuple):
    """A change of an actor's points."""

    key: str
    """Unique for ever: a second one with it is left out."""
    actor_id: str
    points: float
    reason: str


class RuleRecords(NamedTuple):
    """What is written with operations on jobs, in their transaction."""

    tasks: Sequence[NewTask] = ()
    scores: Sequence[ScoreEntry] = ()
    sequences: Mapping[str, tuple[int, int]] = MappingProxyType({})
    """By name: the last number that must have been drawn, and that which is drawn now."""
    repetitions: Mapping[tuple[str, str], int] = MappingProxyType({})
    """How often an element was taken in a chain, by root and element."""


NOTHING = RuleRecords()
