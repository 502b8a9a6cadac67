"""Judges a service by what its clients recorded: what they sent, what they were told, and what they saw.

Each change that a client attempts carries a token of its own, by which its event is known. From the tokens alone
follows whether anything was lost, repeated, made up or reordered; :func:`judge` says so in sentences. Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from itertools import count
from typing import Any

Document = dict[str, Any]


class Outcome(Enum):
    """What a client knows about its attempt."""

    ACKNOWLEDGED = "acknowledged"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    """The connection ended before the answer: it may have happened."""


@dataclass(frozen=True)
class Attempt:
    """One change that a client asked for; times are of one clock that all clients read."""

    token: str
    outcome: Outcome
    sent: float
    ended: float


@dataclass(frozen=True)
class Entry:
    """One event, on the log or as a reader saw it."""

    seq: int
    token: str


@dataclass
class Record:
    """Everything that was recorded of one service, over all its restarts."""

    attempts: list[Attempt] = field(default_factory=list)
    log: list[Entry] = field(default_factory=list)
    """The whole log, as it is at the end."""
    readers: dict[str, list[Entry]] = field(default_factory=dict)
    """What each reader saw who followed the log from its beginning to its end."""
    hidden: frozenset[int] = frozenset()
    """The numbers of events that nobody is shown: those about workflows."""

    @property
    def due(self) -> Iterator[int]:
        """The numbers that are to be seen, in order and without end."""
        return (number for number in count(1) if number not in self.hidden)


def judge(record: Record) -> list[str]:
    """Say everything that is wrong; nothing if all is well."""
    return [*_of_the_log(record), *_of_the_attempts(record), *_of_the_order(record), *_of_the_readers(record)]


def _of_the_log(record: Record) -> Iterator[str]:
    for place, entry in zip(record.due, record.log, strict=False):
        if entry.seq != place:
            yield f"the log has number {entry.seq} at place {place}"
    for token, times in Counter(entry.token for entry in record.log).items():
        if times > 1:
            yield f"{token} is on the log {times} times"


def _of_the_attempts(record: Record) -> Iterator[str]:
    on_log = {entry.token for entry in record.log}
    for attempt in record.attempts:
        if attempt.outcome is Outcome.ACKNOWLEDGED and attempt.token not in on_log:
            yield f"{attempt.token} was acknowledged and is lost"
        if attempt.outcome is Outcome.REFUSED and attempt.token in on_log:
            yield f"{attempt.token} was refused and is on the log"
    for token in on_log.difference(attempt.token for attempt in record.attempts):
        yield f"{token} is on the log and nobody sent it"


def _of_the_order(record: Record) -> Iterator[str]:
    """What was acknowledged before something else was sent comes before it on the log."""
    attempts = {attempt.token: attempt for attempt in record.attempts}
    latest: Attempt | None = None
    for entry in record.log:
        attempt = attempts.get(entry.token)
        if attempt is None:
            continue
        if latest is not None and attempt.outcome is Outcome.ACKNOWLEDGED and attempt.ended < latest.sent:
            yield f"{attempt.token} was acknowledged before {latest.token} was sent and comes after it"
        if latest is None or attempt.sent > latest.sent:
            latest = attempt


def _of_the_readers(record: Record) -> Iterator[str]:
    on_log = {entry.seq: entry.token for entry in record.log}
    for name, seen in record.readers.items():
        for place, entry in zip(record.due, seen, strict=False):
            if entry.seq != place:
                yield f"reader {name} saw number {entry.seq} where number {place} was due"
                break
            if entry.token != on_log.get(entry.seq, entry.token):
                yield f"reader {name} saw {entry.token} as number {entry.seq}, which is {on_log[entry.seq]} on the log"
        if len(seen) != len(record.log):
            yield f"reader {name} saw {len(seen)} events of {len(record.log)}"


def stories(events: Sequence[Document]) -> dict[str, list[Document | None]]:
    """Tell how each job looked after each of its events, by the events alone; None where it was deleted."""
    found: dict[str, list[Document | None]] = {}
    for event in events:
        job, action = event["job"], event["action"]
        states = found.setdefault(job["id"], [])
        match action:
            case "CREATE":
                states.append({"tags": [], **job})
            case "DELETE":
                states.append(None)
            case _:
                states.append(_after(states[-1] or {}, event))
    return found


def lives(events: Sequence[Document]) -> dict[str, list[Document]]:
    """Tell how each job looked from its creation on, by the events alone; deleted jobs are left out."""
    kept = ((job, [state for state in states if state]) for job, states in stories(events).items() if states[-1])
    return dict(kept)


def _after(before: Document, event: Document) -> Document:
    members = {name: value for name, value in event["job"].items() if name != "workflow"}
    after = {**before, **members}
    if event["action"] == "UPDATE_DEFINITION":
        after["status"] = {**before["status"], "definitionHash": members["status"]["definitionHash"]}
        if "definition" not in members:
            after.pop("definition", None)
    return after


def compare(events: Sequence[Document], jobs: Mapping[str, Document]) -> list[str]:
    """Say where jobs, as they are shown with their history, are not what the events say."""
    expected = lives(events)
    wrong = [f"job {job} is there, but not by its events" for job in jobs.keys() - expected.keys()]
    wrong += [f"job {job} should be there by its events" for job in expected.keys() - jobs.keys()]
    for job in jobs.keys() & expected.keys():
        *past, present = expected[job]
        history = jobs[job].get("history", [])
        if {name: value for name, value in jobs[job].items() if name != "history"} != present:
            wrong.append(f"job {job} is not what its events make of it")
        if [(e["mtime"], e["status"]) for e in history] != [(s["mtime"], s["status"]) for s in reversed(past)]:
            wrong.append(f"the history of job {job} is not that of its events")
    return wrong
