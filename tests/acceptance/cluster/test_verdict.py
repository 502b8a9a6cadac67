"""The judge of servers says nothing about good ones, and names every planted fault."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from history_check import Attempt, Document, Outcome

from tests.acceptance.cluster.verdict import Evidence, Read, wrongs


class Life:
    """Makes what clients record of servers that do everything right: three jobs, and changes of all kinds."""

    def __init__(self, seed: int) -> None:
        """Change things in an order that is drawn."""
        self.chance = random.Random(seed)
        self.evidence = Evidence()
        self.time = 0.0
        self.jobs: dict[str, Document] = {}
        self.events: list[tuple[int, Document]] = []
        for kind in self.chance.choices(("status", "status", "definition", "tag", "read"), k=60):
            if len(self.jobs) < 3:
                self._create(f"j{len(self.jobs)}")
            job = self.chance.choice([*self.jobs])
            {"status": self._move, "definition": self._redefine, "tag": self._tag, "read": self._read}[kind](job)
        self._delete("j2")
        shown = {job: document for job, document in self.jobs.items() if job != "j2"}
        for server in ("first", "second"):
            self.evidence.logs[server] = list(self.events)
            self.evidence.jobs[server] = shown | {}
            self.evidence.streams[server] = list(self.events)

    def _attempt(self, token: str, answer: Any, action: str, job: Document, *, unknown: bool = False) -> None:
        self.events.append((len(self.events) + 2, {"action": action, "job": job}))
        outcome = Outcome.UNKNOWN if unknown else Outcome.ACKNOWLEDGED
        self.evidence.attempts.append(Attempt(token, outcome, self.time, self.time + 0.5))
        if not unknown and answer is not None:
            self.evidence.answers[token] = answer
        self.time += 1

    def _changed(self, job: str, **members: Any) -> str:
        """Make the next state of a job; returns its token."""
        before = self.jobs[job]
        entry = {"mtime": before["mtime"], "status": before["status"]}
        self.jobs[job] = before | members | {"mtime": str(self.time)} | {"history": [entry, *before["history"]]}
        return f"t{self.time:g}"

    def _part(self, job: str, *members: str) -> Document:
        state = self.jobs[job]
        return {"id": job, "clientId": "c", "mtime": state["mtime"]} | {name: state[name] for name in members}

    def _create(self, job: str) -> None:
        token = f"t{self.time:g}"
        document = {
            "id": job, "clientId": "c", "workflow": {"name": "w"}, "stime": "1", "mtime": str(self.time),
            "status": {"state": "A", "definitionHash": "h"}, "definition": {"token": token},
        }  # fmt: skip
        self.jobs[job] = document | {"tags": [], "history": []}
        self._attempt(token, document, "CREATE", document)

    def _move(self, job: str) -> None:
        status = self.jobs[job]["status"] | {"message": f"t{self.time:g}"}
        token = self._changed(job, status=status)
        unknown = self.chance.random() < 0.1
        self._attempt(token, status, "UPDATE_STATUS", self._part(job, "status"), unknown=unknown)

    def _redefine(self, job: str) -> None:
        definition = {"token": f"t{self.time:g}"}
        status = self.jobs[job]["status"] | {"definitionHash": f"{self.time}"}
        token = self._changed(job, definition=definition, status=status)
        self._attempt(token, definition, "UPDATE_DEFINITION", self._part(job, "definition", "status"))

    def _tag(self, job: str) -> None:
        token = self._changed(job, tags=sorted([*self.jobs[job]["tags"], f"t{self.time:g}"]))
        self._attempt(token, self.jobs[job]["tags"], "ADD_TAGS", self._part(job, "tags"))

    def _delete(self, job: str) -> None:
        self._attempt(f"deletion of {job}", None, "DELETE", self._part(job))
        self.evidence.reads.append(Read(job, self.time, self.time + 0.5, None))

    def _read(self, job: str) -> None:
        shown = {name: value for name, value in self.jobs[job].items() if name != "history"}
        self.evidence.reads.append(Read(job, self.time, self.time + 0.5, shown))
        self.time += 1


SEEDS = range(10)


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_to_say(seed: int) -> None:
    """Servers that keep their promise are not blamed."""
    assert wrongs(Life(seed).evidence) == []


def lose_a_change(evidence: Evidence, chance: random.Random) -> str:
    """A server confirmed what nobody has written."""
    attempt = Attempt("t999", Outcome.ACKNOWLEDGED, 999, 999.5)
    evidence.attempts.insert(chance.randrange(len(evidence.attempts)), attempt)
    return "t999 was acknowledged and is lost"


def do_what_was_refused(evidence: Evidence, chance: random.Random) -> str:
    """A server refused what was done all the same."""
    place = chance.randrange(len(evidence.attempts))
    evidence.attempts[place] = replace(evidence.attempts[place], outcome=Outcome.REFUSED)
    return f"{evidence.attempts[place].token} was refused and is on the log"


def do_twice(evidence: Evidence, chance: random.Random) -> str:
    """A change whose answer was lost was sent once more, and had been done."""
    log = _log(evidence)
    place = chance.choice([n for n, (_, event) in enumerate(log) if event["action"] == "UPDATE_STATUS"])
    _replace_log(evidence, [event for _, event in [*log, log[place]]])
    return f"{log[place][1]['job']['status']['message']} is on the log 2 times"


def leave_a_gap(evidence: Evidence, chance: random.Random) -> str:
    """A number of the log belongs to no event."""
    place = chance.randrange(len(_log(evidence)))
    for log in (*evidence.logs.values(), *evidence.streams.values()):
        log[place:] = [(number + 1, event) for number, event in log[place:]]
    return f"the log has number {place + 3} at place {place + 2}"


def reorder(evidence: Evidence, chance: random.Random) -> str:
    """A change is on the log before another one that had been confirmed when it was sent."""
    events = [event for _, event in _log(evidence)]
    place = chance.choice([n for n in range(len(events) - 1) if _may_swap(*events[n : n + 2])])
    events[place : place + 2] = reversed(events[place : place + 2])
    _replace_log(evidence, events)
    return "was sent and comes after it"


def _may_swap(one: Document, other: Document) -> bool:
    return {one["action"], other["action"]} == {"UPDATE_STATUS"}


def show_another_log(evidence: Evidence, chance: random.Random) -> str:
    """A server does not show an event that the other one does."""
    del evidence.logs["second"][chance.randrange(len(evidence.logs["second"]))]
    return "second and first show different log"


def show_another_job(evidence: Evidence, chance: random.Random) -> str:
    """A server shows a job otherwise than the other one."""
    job = chance.choice([*evidence.jobs["second"]])
    evidence.jobs["second"][job] = evidence.jobs["second"][job] | {"mtime": "0"}
    return "second and first show different jobs"


def forget_history(evidence: Evidence, chance: random.Random) -> str:
    """A job lacks an entry of its history, on both servers."""
    job = chance.choice(["j0", "j1"])
    for jobs in evidence.jobs.values():
        jobs[job] = jobs[job] | {"history": jobs[job]["history"][1:]}
    return f"the history of job {job} is not that of its events"


def swap_history(evidence: Evidence, chance: random.Random) -> str:
    """Two entries of a history have changed places."""
    job = chance.choice(["j0", "j1"])
    for jobs in evidence.jobs.values():
        first, second, *others = jobs[job]["history"]
        jobs[job] = jobs[job] | {"history": [second, first, *others]}
    return f"the history of job {job} is not that of its events"


def miss_an_event(evidence: Evidence, chance: random.Random) -> str:
    """A subscriber was not told of an event."""
    del evidence.streams["second"][chance.randrange(len(evidence.streams["second"]))]
    return "reader second saw"


def repeat_an_event(evidence: Evidence, chance: random.Random) -> str:
    """A subscriber was told of an event twice."""
    place = chance.randrange(len(evidence.streams["second"]))
    evidence.streams["second"].insert(place, evidence.streams["second"][place])
    return "reader second saw"


def swap_events(evidence: Evidence, chance: random.Random) -> str:
    """A subscriber saw two events in the wrong order, under the right numbers or under each other's."""
    seen = evidence.streams["second"]
    place = chance.choice([n for n in range(len(seen) - 1) if _may_swap(seen[n][1], seen[n + 1][1])])
    (one, event), (other, further) = seen[place : place + 2]
    seen[place : place + 2] = chance.choice(([(other, further), (one, event)], [(one, further), (other, event)]))
    return "reader second saw"


def garble_an_event(evidence: Evidence, chance: random.Random) -> str:
    """A subscriber saw something else than the log has under this number."""
    place = chance.randrange(len(evidence.streams["second"]))
    number, event = evidence.streams["second"][place]
    evidence.streams["second"][place] = (number, event | {"job": event["job"] | {"mtime": "0"}})
    return f"reader second saw another event number {number}"


def answer_otherwise(evidence: Evidence, chance: random.Random) -> str:
    """A change was answered with something else than what it made of the job."""
    token = chance.choice([*evidence.answers])
    evidence.answers[token] = {"state": "Z"}
    return f"{token} was answered with something else"


def show_what_is_over(evidence: Evidence, chance: random.Random) -> str:
    """A job was shown without a change that had been confirmed."""
    place = chance.choice([n for n, read in enumerate(evidence.reads) if read.document is not None])
    evidence.reads[place] = replace(evidence.reads[place], sent=2000, ended=2001)
    return "which had been acknowledged"


def show_what_comes(evidence: Evidence, chance: random.Random) -> str:
    """A job was shown with a change that nobody had asked for yet."""
    place = chance.randrange(len(evidence.reads))
    evidence.reads[place] = replace(evidence.reads[place], sent=-2, ended=-1)
    return "before that was sent"


def show_what_never_was(evidence: Evidence, chance: random.Random) -> str:
    """A job was shown as no change has made it."""
    place = chance.choice([n for n, read in enumerate(evidence.reads) if read.document is not None])
    read = evidence.reads[place]
    evidence.reads[place] = replace(read, document={**(read.document or {}), "mtime": "0"})
    return f"job {read.job} was shown as it never was"


def say_it_is_gone(evidence: Evidence, chance: random.Random) -> str:
    """A server said that there is no such job, and nobody has deleted it."""
    evidence.reads.append(Read(job := chance.choice(["j0", "j1"]), 2000, 2001, None))
    return f"job {job} was shown as it never was"


def _log(evidence: Evidence) -> list[tuple[int, Document]]:
    return list(evidence.logs["first"])


def _replace_log(evidence: Evidence, events: list[Document]) -> None:
    for logs in (evidence.logs, evidence.streams):
        for server in logs:
            logs[server] = list(enumerate(events, 2))


FAULTS = (
    lose_a_change, do_what_was_refused, do_twice, leave_a_gap, reorder, show_another_log, show_another_job,
    forget_history, swap_history, miss_an_event, repeat_an_event, swap_events, garble_an_event, answer_otherwise,
    show_what_is_over, show_what_comes, show_what_never_was, say_it_is_gone,
)  # fmt: skip


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("plant", FAULTS)
def test_each_fault_is_found(plant: Callable[[Evidence, random.Random], str], seed: int) -> None:
    """A loss, a repetition, a swap, a wrong answer and a wrong view are each named, wherever they are planted."""
    life = Life(seed)
    expected = plant(life.evidence, life.chance)
    found = wrongs(life.evidence)
    assert any(expected in sentence for sentence in found), (expected, found)


def test_shown_and_then_not() -> None:
    """Who was shown a change that nobody confirmed may not be shown the job without it later."""
    created = {"id": "j", "mtime": "1", "status": {}, "definition": {"token": "a"}}
    moved = created | {"mtime": "2", "status": {"message": "b"}}
    events = [{"action": "CREATE", "job": created}, {"action": "UPDATE_STATUS", "job": moved}]
    attempts = [Attempt("a", Outcome.ACKNOWLEDGED, 0, 1), Attempt("b", Outcome.UNKNOWN, 2, 3)]
    evidence = Evidence(attempts, logs={"first": list(enumerate(events, 2))})
    evidence.reads = [Read("j", 4, 5, moved), Read("j", 6, 7, created)]
    assert wrongs(evidence) == ["job j was shown with b, and later without"]
    evidence.reads = [Read("j", 4, 5, created), Read("j", 6, 7, moved)]
    assert wrongs(evidence) == []
