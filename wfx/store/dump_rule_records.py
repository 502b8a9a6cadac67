"""Records of a dump for what rules have left."""

from __future__ import annotations

from typing import NamedTuple

from wfx.domain.json import Json


class TaskRecord(NamedTuple):
    """A task of rules; the order of the records is that of creation."""

    key: str
    type: str
    """Its kind."""
    state: str
    due: int
    attempts: int
    ctime: int
    mtime: int
    input: Json
    result: Json | None
    cause: Json


class ScoreRecord(NamedTuple):
    """Points that somebody was given; the order of the records is that in which they were."""

    key: str
    actor_id: str
    points: float
    reason: str
    ctime: int


class SequenceRecord(NamedTuple):
    """A sequence of rules."""

    name: str
    value: int


class ScriptRecord(NamedTuple):
    """A version of a script; the order of the records is that in which they were put last."""

    name: str
    sha256: str
    ctime: int
    current: bool
    """Whether it is what the name stands for."""
    findings: Json
    source: str


RuleRecord = TaskRecord | ScoreRecord | SequenceRecord | ScriptRecord
