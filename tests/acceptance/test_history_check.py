"""The judge of histories says nothing about good ones, and names every planted fault."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from history_check import Attempt, Entry, Outcome, Record, compare, judge
from hypothesis import given
from hypothesis import strategies as st


@st.composite
def records(draw: st.DrawFn) -> Record:
    """Draw what clients recorded of a service that does everything right.

    Each change takes effect at a moment of its own, between being sent and being answered, in the order of the log.
    """
    record = Record()
    for place in range(draw(st.integers(2, 30))):
        token, moment = f"t{place}", 10.0 * place
        sent = moment - draw(st.floats(0, 50))
        ended = moment + draw(st.floats(0.001, 50))
        outcome = draw(st.sampled_from((Outcome.ACKNOWLEDGED, Outcome.ACKNOWLEDGED, *Outcome)))
        record.attempts.append(Attempt(token, outcome, sent, ended))
        if outcome is Outcome.ACKNOWLEDGED or (outcome is Outcome.UNKNOWN and draw(st.booleans())):
            record.log.append(Entry(len(record.log) + 1, token))
    record.readers = {"a": list(record.log), "b": list(record.log)}
    return record


def numbered(tokens: list[str]) -> list[Entry]:
    """Number tokens as a log does."""
    return [Entry(seq, token) for seq, token in enumerate(tokens, 1)]


@given(records())
def test_nothing_to_say(record: Record) -> None:
    """A service that keeps its promise is not blamed, whatever was cut off on the way."""
    assert judge(record) == []


@given(records(), st.data())
def test_lost(record: Record, data: st.DataObject) -> None:
    """An acknowledged change that is not on the log is named."""
    kept = {a.token for a in record.attempts if a.outcome is Outcome.ACKNOWLEDGED}
    if not kept:
        return
    lost = data.draw(st.sampled_from(sorted(kept)))
    record.log = numbered([entry.token for entry in record.log if entry.token != lost])
    record.readers = {}
    assert judge(record) == [f"{lost} was acknowledged and is lost"]


@given(records(), st.data())
def test_repeated(record: Record, data: st.DataObject) -> None:
    """A change that is on the log twice is named."""
    if not record.log:
        return
    twice = data.draw(st.sampled_from(record.log)).token
    record.log = numbered([*(entry.token for entry in record.log), twice])
    assert f"{twice} is on the log 2 times" in judge(record)


@given(records(), st.data())
def test_gap(record: Record, data: st.DataObject) -> None:
    """A number that is missing on the log is noticed."""
    gap = data.draw(st.integers(0, max(0, len(record.log) - 1)))
    record.log[gap:] = [replace(entry, seq=entry.seq + 1) for entry in record.log[gap:]]
    record.readers = {}
    assert bool(judge(record)) == bool(record.log)


def test_swapped() -> None:
    """Two changes of which one was acknowledged before the other was sent stand on the log in that order."""
    early, late = (Attempt("e", Outcome.ACKNOWLEDGED, 0, 1), Attempt("l", Outcome.ACKNOWLEDGED, 2, 3))
    record = Record([early, late], numbered(["l", "e"]))
    assert judge(record) == ["e was acknowledged before l was sent and comes after it"]


def test_overlapping_may_swap() -> None:
    """Changes that were under way at the same time may come in either order."""
    attempts = [Attempt("a", Outcome.ACKNOWLEDGED, 0, 2), Attempt("b", Outcome.ACKNOWLEDGED, 1, 3)]
    assert judge(Record(attempts, numbered(["b", "a"]))) == []


@given(records(), st.data())
def test_swapped_anywhere(record: Record, data: st.DataObject) -> None:
    """Wherever on the log two changes with an order in time are swapped, that is noticed."""
    attempts = {attempt.token: attempt for attempt in record.attempts}
    pairs = [
        (i, j)
        for i, first in enumerate(record.log)
        for j, second in enumerate(record.log)
        if attempts[first.token].outcome is Outcome.ACKNOWLEDGED
        and attempts[first.token].ended < attempts[second.token].sent
    ]
    if not pairs:
        return
    i, j = data.draw(st.sampled_from(pairs))
    tokens = [entry.token for entry in record.log]
    tokens[i], tokens[j] = tokens[j], tokens[i]
    record.log, record.readers = numbered(tokens), {}
    assert any("comes after it" in sentence for sentence in judge(record))


def test_refused_and_made_up() -> None:
    """Neither what was refused nor what nobody sent belongs on the log."""
    record = Record([Attempt("no", Outcome.REFUSED, 0, 1)], numbered(["no", "what"]))
    assert judge(record) == ["no was refused and is on the log", "what is on the log and nobody sent it"]


@pytest.mark.parametrize(("seen", "complaint"), [
    ([(1, "a"), (2, "b"), (3, "c")], None),
    ([(1, "a"), (3, "c")], "reader r saw number 3 where number 2 was due"),
    ([(2, "b"), (3, "c")], "reader r saw number 2 where number 1 was due"),
    ([(1, "a"), (2, "b"), (2, "b"), (3, "c")], "reader r saw number 2 where number 3 was due"),
    ([(1, "a"), (3, "c"), (2, "b")], "reader r saw number 3 where number 2 was due"),
    ([(1, "a"), (2, "c"), (3, "b")], "reader r saw c as number 2, which is b on the log"),
    ([(1, "a"), (2, "b")], "reader r saw 2 events of 3"),
    ([(1, "a"), (2, "b"), (3, "c"), (4, "d")], "reader r saw 4 events of 3"),
    ([], "reader r saw 0 events of 3"),
])  # fmt: skip
def test_readers(seen: list[tuple[int, str]], complaint: str | None) -> None:
    """A reader who misses an event, sees one twice, another one or one that is not there is named."""
    attempts = [Attempt(token, Outcome.ACKNOWLEDGED, number, number + 0.5) for number, token in enumerate("abc")]
    record = Record(attempts, numbered(["a", "b", "c"]), {"r": [Entry(*pair) for pair in seen]})
    if complaint is None:
        assert judge(record) == []
    else:
        assert complaint in judge(record)


CREATED = {
    "id": "j",
    "clientId": "c",
    "workflow": {"name": "w", "states": []},
    "stime": "1",
    "mtime": "1",
    "status": {"state": "A", "definitionHash": "h"},
}
EVENTS: list[dict[str, Any]] = [
    {"action": "CREATE", "job": CREATED},
    {
        "action": "UPDATE_STATUS",
        "job": {
            "id": "j",
            "clientId": "c",
            "workflow": {"name": "w"},
            "mtime": "2",
            "status": {"state": "B", "definitionHash": "h"},
        },
    },
    {
        "action": "UPDATE_DEFINITION",
        "job": {
            "id": "j",
            "clientId": "c",
            "workflow": {"name": "w"},
            "mtime": "3",
            "definition": {"n": 1},
            "status": {"state": "", "definitionHash": "i"},
        },
    },
    {"action": "ADD_TAGS", "job": {"id": "j", "clientId": "c", "workflow": {"name": "w"}, "mtime": "4", "tags": ["t"]}},
]
SHOWN: dict[str, Any] = {
    **CREATED,
    "mtime": "4",
    "tags": ["t"],
    "definition": {"n": 1},
    "status": {"state": "B", "definitionHash": "i"},
    "history": [
        {"mtime": "3", "status": {"state": "B", "definitionHash": "i"}},
        {"mtime": "2", "status": {"state": "B", "definitionHash": "h"}},
        {"mtime": "1", "status": {"state": "A", "definitionHash": "h"}},
    ],
}


def test_job_by_its_events() -> None:
    """A job that is what its events make of it is fine, and so is one that they deleted."""
    assert compare(EVENTS, {"j": SHOWN}) == []
    assert compare([*EVENTS, {"action": "DELETE", "job": {"id": "j"}}], {}) == []


@pytest.mark.parametrize(("events", "jobs"), [
    (EVENTS, {}),
    ([], {"j": SHOWN}),
    (EVENTS[:-1], {"j": SHOWN}),
    ([EVENTS[0], *EVENTS[2:]], {"j": SHOWN}),
    ([EVENTS[0], EVENTS[2], EVENTS[1], EVENTS[3]], {"j": SHOWN}),
    (EVENTS, {"j": SHOWN | {"tags": []}}),
    (EVENTS, {"j": SHOWN | {"history": SHOWN["history"][1:]}}),
    (EVENTS, {"j": SHOWN | {"history": SHOWN["history"][::-1]}}),
    (EVENTS, {"j": SHOWN, "k": SHOWN}),
    ([*EVENTS, {"action": "DELETE", "job": {"id": "j"}}], {"j": SHOWN}),
])  # fmt: skip
def test_job_against_its_events(events: list[dict[str, Any]], jobs: dict[str, Any]) -> None:
    """A change that is on the log and not in the job, or in the job and not on the log, is noticed."""
    assert compare(events, jobs)
