"""What rules leave in the store beside changes of jobs: tasks, scores, sequences and repetitions; and what is asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from math import isfinite
from types import MappingProxyType
from typing import Any, NamedTuple

from wfx.domain.cause import UNKNOWN, EncodedCause
from wfx.domain.json import Json
from wfx.domain.timestamp import Timestamp

LONGEST_NAME = 1200
"""Bytes of a key, of the name of a sequence, of an actor's id, and of the root and the element of a repetition."""
MOST_POINTS = 1e12
"""Points of one award, whether given or taken."""
LONGEST_REASON = 2000
"""Characters of the reason of an award that are kept."""
KEPT = 24 * 3600 * 1_000_000
"""Microseconds for which answers to events are kept, and repetitions that did not become more."""
MOST_ANSWERS = 100_000
"""Answers to events that are kept."""
MOST_ANSWER_BYTES = 128 * 1024 * 1024
"""Bytes of answers to events that are kept."""
MOST_TASKS = 100_000
"""Tasks that are kept once they are done or failed."""


class TaskState(StrEnum):
    """Where a task stands."""

    WAITING = "WAITING"
    RUNNING = "RUNNING"
    """Somebody has claimed it; once it is due again, so may others."""
    DONE = "DONE"
    FAILED = "FAILED"


class NewTask(NamedTuple):
    """Work to be done later, once; a task with a key that another one has is left out silently."""

    key: str
    kind: str
    input: Json
    due: Timestamp
    cause: EncodedCause = UNKNOWN


class Task(NamedTuple):
    """Work that is to be done, or was."""

    id: int
    key: str
    kind: str
    state: TaskState
    due: Timestamp
    """When it may be claimed; of one that is running, when others may claim it."""
    attempts: int
    """How often it was claimed."""
    ctime: Timestamp
    mtime: Timestamp
    input: Json
    result: Json | None
    """What was said when it was finished last."""
    cause: EncodedCause
    damage: str = ""
    """Why its documents cannot be read, which are null then; empty for almost every task."""

    @classmethod
    def damaged(cls, row: Sequence[Any], reason: str) -> Task:
        """Make it of its columns, without the documents, which cannot be read."""
        return cls.of((*row[:8], "null", None, row[10]))._replace(damage=reason)

    @classmethod
    def of(cls, row: Sequence[Any]) -> Task:
        """Make it of its columns, in the order of the members."""
        task_id, key, kind, state, due, attempts, ctime, mtime, given, result, cause = row
        told = None if result is None else Json(result.encode())
        return cls(task_id, key, kind, TaskState(state), due, attempts, ctime, mtime, Json(given.encode()), told, cause)

    @property
    def size(self) -> int:
        """How many bytes its documents have."""
        return len(self.input) + len(self.result or b"")


class TaskOutcome(NamedTuple):
    """What became of a task that was claimed."""

    state: TaskState
    """WAITING for one that is to be tried again."""
    result: Json
    due: Timestamp | None = None
    """When it is to be tried again; at once by default."""


class TaskQuery(NamedTuple):
    """Asks for tasks in the order of their creation, or the opposite one."""

    kind: str | None = None
    state: TaskState | None = None
    after: int | None = None
    """The id of the last one that is known."""
    limit: int = 100
    descending: bool = False


class ScoreEntry(NamedTuple):
    """Points for somebody, given once; a second entry with the key is left out silently."""

    key: str
    actor_id: str
    points: float
    reason: str


class Score(NamedTuple):
    """Points that somebody was given."""

    number: int
    """The order in which points were given."""
    key: str
    actor_id: str
    points: float
    reason: str
    ctime: Timestamp


_NOTHING: Mapping[Any, Any] = MappingProxyType({})


class RuleRecords(NamedTuple):
    """What is to be written together with operations on jobs."""

    tasks: Sequence[NewTask] = ()
    scores: Sequence[ScoreEntry] = ()
    sequences: Mapping[str, tuple[int, int]] = _NOTHING
    """By name what a sequence must be, 0 where there is none yet, and what it becomes."""
    repetitions: Mapping[tuple[str, str], int] = _NOTHING
    """By root of the chain of events and element how often that came, besides what is counted already."""

    @property
    def fault(self) -> str | None:
        """Say what no store can write; None if all can be written."""
        names = {
            "key of a task": (each.key for each in self.tasks),
            "kind of a task": (each.kind for each in self.tasks),
            "key of a score": (each.key for each in self.scores),
            "actor of a score": (each.actor_id for each in self.scores),
            "name of a sequence": iter(self.sequences),
            "root or element of a repetition": (each for pair in self.repetitions for each in pair),
        }
        for what, texts in names.items():
            for text in texts:
                if not is_name(text):
                    return f"the {what} is no text of 1 to {LONGEST_NAME} bytes without U+0000: {text[:100]!a}"
        for each in self.scores:
            if not (isfinite(each.points) and abs(each.points) <= MOST_POINTS):
                return f"{each.points} points are more than {MOST_POINTS:,.0f}, or no number"
        return None


NOTHING = RuleRecords()
"""No records."""


def joined(parts: Iterable[RuleRecords]) -> RuleRecords:
    """Return records that were decided on one after the other as those of one decision."""
    tasks, scores = list[NewTask](), list[ScoreEntry]()
    sequences, repetitions = dict[str, tuple[int, int]](), dict[tuple[str, str], int]()
    for each in parts:
        tasks += each.tasks
        scores += each.scores
        for name, (before, after) in each.sequences.items():
            sequences[name] = sequences.get(name, (before, after))[0], after
        for pair, times in each.repetitions.items():
            repetitions[pair] = repetitions.get(pair, 0) + times
    return RuleRecords(tasks, scores, sequences, repetitions)


def is_name(text: str) -> bool:
    """Tell whether stores take the text as a key, a name, an actor's id, a root or an element."""
    try:
        return 0 < len(text.encode()) <= LONGEST_NAME and "\0" not in text
    except UnicodeEncodeError:
        return False


def reason_of(text: str) -> str:
    """Return as much of a reason as is kept, with a mark in the place of what no database can have."""
    return text[:LONGEST_REASON].replace("\0", "\ufffd").encode(errors="replace").decode()


def expired_answers(oldest: Sequence[tuple[int, int, int]], kept: tuple[int, int], before: int) -> list[int]:
    """Return the numbers of those of the oldest answers that need not be kept.

    Of each the number, the time and the bytes are given, and ``kept`` says how many answers there are, and how many
    bytes. Those from before this time go, and those beyond what is kept.
    """
    count, size = kept
    expired = []
    for number, created, bytes_of_one in oldest:
        if created >= before and count <= MOST_ANSWERS and size <= MOST_ANSWER_BYTES:
            break
        expired.append(number)
        count, size = count - 1, size - bytes_of_one
    return expired


class AnswersTo(NamedTuple):
    """Asks for the answers to events, by what their ids are kept as."""

    keys: Sequence[str]


class NextTaskDue(NamedTuple):
    """Asks when the next task of these kinds may be claimed."""

    kinds: Sequence[str]


class OpenTasks(NamedTuple):
    """Asks how many tasks of each kind wait or are running."""


class TaskSearch(NamedTuple):
    """Asks for some tasks, up to so many bytes of documents; the first one in any case."""

    query: TaskQuery
    room: int


class ScoreTotals(NamedTuple):
    """Asks for the sums of the points of actors."""

    actor_ids: Sequence[str]


class ScoreSearch(NamedTuple):
    """Asks for points behind a number, in order; of one actor, or of all."""

    after: int
    limit: int
    actor_id: str | None


class SequencesNamed(NamedTuple):
    """Asks for sequences by their names."""

    names: Sequence[str]


class RepetitionsOf(NamedTuple):
    """Asks how often which elements came in a chain of events."""

    root: str


RuleQuestion = (
    AnswersTo | NextTaskDue | OpenTasks | TaskSearch | ScoreTotals | ScoreSearch | SequencesNamed | RepetitionsOf
)
