"""Judges servers of one database by what the clients of all of them recorded. Pure.

:mod:`history_check` holds the log against what was attempted, and each stream and the jobs against the log. Here is
what several servers may get wrong beside that: they show different things, answer what is not so, or show what is over.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from history_check import Attempt, Document, Entry, Outcome, Record, compare, judge, stories

from tests.acceptance.clients import Tokens

NumberedEvent = tuple[int, Document]
ANSWERED = {"UPDATE_STATUS": "status", "UPDATE_DEFINITION": "definition", "ADD_TAGS": "tags"}
"""The member of a job that a change is answered with."""


@dataclass(frozen=True)
class Read:
    """A job as a server showed it; None if it said that there is none."""

    job: str
    sent: float
    ended: float
    document: Document | None


@dataclass
class Evidence:
    """Everything that was recorded."""

    attempts: list[Attempt] = field(default_factory=list)
    answers: dict[str, Any] = field(default_factory=dict)
    """What acknowledged changes were answered with, by token."""
    reads: list[Read] = field(default_factory=list)
    logs: dict[str, list[NumberedEvent]] = field(default_factory=dict)
    """The whole log in the end, as each server shows it."""
    jobs: dict[str, dict[str, Document]] = field(default_factory=dict)
    """All jobs in the end with their histories, as each server shows them."""
    streams: dict[str, list[NumberedEvent]] = field(default_factory=dict)
    """What each subscriber saw who followed from the beginning to the end."""
    hidden: frozenset[int] = frozenset({1})
    """The numbers of events about workflows, which nobody is shown."""


def wrongs(evidence: Evidence) -> list[str]:
    """Say everything that is wrong; nothing if all is well."""
    log = next(iter(evidence.logs.values()), [])
    entries = named(log)
    record = Record(evidence.attempts, entries, hidden=evidence.hidden)
    record.readers = {reader: named(seen) for reader, seen in evidence.streams.items()}
    found = [*judge(record), *_different_servers(evidence), *_different_streams(evidence.streams, log)]
    if found:
        return found  # what follows takes the log for true
    events = [event for _, event in log]
    attempts = {attempt.token: attempt for attempt in evidence.attempts}
    changes = _changes([entry.token for entry in entries], events, attempts)
    for jobs in evidence.jobs.values():
        found += compare(events, jobs)
    found += _wrong_answers(evidence.answers, entries, events)
    found += _wrong_reads(evidence.reads, changes)
    return found


def named(events: Sequence[NumberedEvent]) -> list[Entry]:
    """Name events by their tokens; one that makes no sense where it is has none of its own."""
    tokens = Tokens()
    found = []
    for number, event in events:
        try:
            token = tokens.of(event)
        except ValueError:
            token = f"a change of the tags of {event['job']['id']} to {event['job']['tags']}"
        found.append(Entry(number, token))
    return found


def _different_servers(evidence: Evidence) -> Iterator[str]:
    for what, shown in (("log", evidence.logs), ("jobs", evidence.jobs)):
        (first, expected), *others = shown.items() or [("", None)]
        yield from (f"{other} and {first} show different {what}" for other, found in others if found != expected)


def _different_streams(streams: Mapping[str, Sequence[NumberedEvent]], log: Sequence[NumberedEvent]) -> Iterator[str]:
    """Find events that have the right place and name in a stream, and say something else than on the log."""
    for reader, seen in streams.items():
        for (number, event), (_, expected) in zip(seen, log, strict=False):
            if event != expected:
                yield f"reader {reader} saw another event number {number} than the log has"
                break


@dataclass(frozen=True)
class _Change:
    """A change on the log, with what it made of its job."""

    token: str
    sent: float
    acknowledged: float
    """When it was; never, if nobody was told."""
    after: Document | None


def _changes(
    tokens: Sequence[str], events: Sequence[Document], attempts: Mapping[str, Attempt]
) -> dict[str, list[_Change]]:
    found: dict[str, list[_Change]] = {}
    states = {job: iter(story) for job, story in stories(events).items()}
    for token, event in zip(tokens, events, strict=True):
        attempt, job = attempts[token], event["job"]["id"]
        ended = attempt.ended if attempt.outcome is Outcome.ACKNOWLEDGED else float("inf")
        found.setdefault(job, []).append(_Change(token, attempt.sent, ended, next(states[job])))
    return found


def _wrong_answers(answers: Mapping[str, Any], entries: Sequence[Entry], events: Sequence[Document]) -> Iterator[str]:
    """Find changes that were answered with something else than what they made of the job."""
    states = {job: iter(story) for job, story in stories(events).items()}
    for entry, event in zip(entries, events, strict=True):
        state = next(states[event["job"]["id"]])
        if entry.token not in answers or state is None:
            continue
        answer = answers[entry.token]
        if event["action"] == "CREATE":
            right = {"tags": [], **answer} == state
        else:
            right = answer == state[ANSWERED[event["action"]]]
        if not right:
            yield f"{entry.token} was answered with something else than what it made of the job"


def _wrong_reads(reads: Sequence[Read], changes: Mapping[str, Sequence[_Change]]) -> Iterator[str]:
    """Find what was shown too early, too late, or never was; per job, whichever server was asked."""
    newest: dict[str, tuple[int, float]] = {}  # of each job: the newest state that was shown, and when it had been
    for read in sorted(reads, key=lambda read: read.ended):
        story = changes.get(read.job, ())
        place = next((n for n, change in enumerate(story) if _is_shown(read.document, change.after)), None)
        if place is None:
            yield f"job {read.job} was shown as it never was"
            continue
        if story[place].sent > read.ended:
            yield f"job {read.job} was shown with {story[place].token} before that was sent"
        for later in story[place + 1 :]:
            if later.acknowledged < read.sent:
                yield f"job {read.job} was shown without {later.token}, which had been acknowledged"
        seen, when = newest.get(read.job, (0, 0.0))
        if place < seen and when < read.sent:
            yield f"job {read.job} was shown with {story[seen].token}, and later without"
        if place > seen:
            newest[read.job] = (place, read.ended)


def _is_shown(document: Document | None, state: Document | None) -> bool:
    return document is state is None or (document is not None and {"tags": [], **document} == state)
