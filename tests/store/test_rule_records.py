"""The contract of a store, as far as it concerns events from outside, scores, sequences and repetitions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.store.backends import NOON, Backend, SetClock
from tests.store.samples import all_jobs, begin, job_log, move, together
from wfx.domain.errors import JobNotFound, SequenceTaken, StepTaken
from wfx.domain.job import Job
from wfx.domain.json import Json
from wfx.domain.timestamp import Timestamp
from wfx.domain.workflow import Workflow
from wfx.store import rule_records
from wfx.store.backend import Applied
from wfx.store.batching_store import BatchingStore
from wfx.store.operations import ChangeJob, Checkpoint, CreateJob, JobOperation
from wfx.store.plan import Plan
from wfx.store.protocol import Store
from wfx.store.rule_records import (
    KEPT,
    LONGEST_NAME,
    NOTHING,
    NewTask,
    RuleRecords,
    Score,
    ScoreEntry,
    TaskQuery,
    is_name,
)

TASK = NewTask("t", "mail", Json(b"{}"), Timestamp(NOON))
POINTS = ScoreEntry("p", "user_42", 75, "food")
ALL = RuleRecords([TASK], [POINTS], {"n": (0, 1)}, {("root", "element"): 1})


def names(results: Sequence[Any]) -> str:
    """Answer with the types of the results."""
    return ",".join(type(each).__name__ for each in results) or "nothing"


class Teller:
    """Answers with a number and the first job."""

    def __init__(self, number: int) -> None:
        """Keep the number."""
        self._number = number

    def __call__(self, results: Sequence[Any]) -> str:
        """Answer."""
        return f"{self._number} {results[0].id if results else chr(0x2028)}"


async def step(store: Store, records: RuleRecords) -> Sequence[Any]:
    """Take a step that moves no place and writes records."""
    consumer = await store.consumer("rules")
    return await store.step("rules", consumer.position, consumer.steps, consumer.position, (), records)


async def kept(store: Store) -> tuple[Any, ...]:
    """Return all that rules have left."""
    tasks = [task.key for task in await store.list_tasks(TaskQuery())]
    totals = await store.score_totals(["user_42"])
    sequences = await store.sequences(["n"])
    return tasks, totals["user_42"], sequences["n"], dict(await store.repetitions("root"))


async def test_a_step_brings_all_its_records(store: Store, flow: Workflow) -> None:
    """What a step does to jobs and what it records come together, and a step that is refused leaves nothing."""
    place = await store.consumer("rules")
    wanted: Sequence[JobOperation] = [CreateJob(flow.name, begin()), ChangeJob("unknown", move("RUN"))]
    results = await store.step("rules", place.position, 0, place.position, wanted, ALL)
    assert names(results) == "Job,JobNotFound"
    assert await kept(store) == (["t"], 75, 1, {"element": 1})
    with pytest.raises(StepTaken) as refused:
        await store.step("rules", place.position, 0, place.position, wanted, RuleRecords([TASK._replace(key="u")]))
    assert type(refused.value) is StepTaken
    assert await kept(store) == (["t"], 75, 1, {"element": 1})
    assert len(await all_jobs(store)) == 1


async def test_a_step_fails_where_a_sequence_has_moved(store: Store, flow: Workflow) -> None:
    """Who has decided on another value of a sequence, or on none, changes nothing, and the consumer stays there."""
    assert await step(store, RuleRecords(sequences={"n": (0, 5), "m": (0, 1)})) == []
    before = await store.consumer("rules")
    for wrong in ({"n": (0, 1)}, {"n": (5, 6), "m": (0, 2)}, {"n": (5, 6), "new": (1, 2)}):
        with pytest.raises(SequenceTaken, match="n"):
            await store.step(
                "rules", before.position, before.steps, before.position, [CreateJob(flow.name, begin())],
                ALL._replace(sequences=wrong),
            )  # fmt: skip
    assert (await store.consumer("rules"), await kept(store)) == (before, ([], 0, 5, {}))
    assert await all_jobs(store) == ()
    await step(store, RuleRecords(sequences={"n": (5, 6), "new": (0, 2)}))
    assert await store.sequences(["m", "n", "new", "none", "\0"]) == {"m": 1, "n": 6, "new": 2, "none": 0, "\0": 0}


async def test_an_event_is_taken_once(store: Store, flow: Workflow) -> None:
    """Whoever comes with an event's id gets the answer to the first one, and only that one does anything."""
    wanted: Sequence[JobOperation] = [CreateJob(flow.name, begin()), ChangeJob("unknown", move("RUN"))]
    assert await store.read_event_answer("evt_01") is None
    assert await store.take_event("evt_01", wanted, ALL, names) == "Job,JobNotFound"
    again = RuleRecords([TASK._replace(key="u")], [POINTS._replace(key="q")], {"n": (1, 2)})
    assert await store.take_event("evt_01", wanted, again, lambda _: "other") == "Job,JobNotFound"
    assert await store.take_event("evt_01", (), NOTHING, lambda _: "other") == "Job,JobNotFound"
    assert await store.read_event_answer("evt_01") == "Job,JobNotFound"
    assert await kept(store) == (["t"], 75, 1, {"element": 1})
    assert len(await all_jobs(store)) == 1
    assert await store.take_event("evt_02", (), NOTHING, names) == "nothing"


async def test_an_answer_that_need_not_be_kept(store: Store, flow: Workflow) -> None:
    """Events whose answers need not be kept are done alone and together with others, and leave none."""
    wanted = [CreateJob(flow.name, begin())]
    assert await store.take_event("alone", wanted, ALL, names, is_kept=False) == "Job"
    waiting = [store.take_event(f"evt{n}", wanted, NOTHING, Teller(n), is_kept=n % 2 == 0) for n in range(6)]
    answers = await together(*waiting, store.take_event("none", (), NOTHING, names, is_kept=False))
    assert len({*answers}) == 7
    assert len(await all_jobs(store)) == 7
    assert await kept(store) == (["t"], 75, 1, {"element": 1})
    found = [await store.read_event_answer(each) for each in ("alone", "none", *(f"evt{n}" for n in range(6)))]
    assert found == [None, None, answers[0], None, answers[2], None, answers[4], None]


async def test_of_many_with_the_same_event_one_does_it(store: Store, flow: Workflow) -> None:
    """Events that come at the same time with the same id have one effect, and all get the same answer."""
    wanted = [CreateJob(flow.name, begin())]
    answers = await together(*(store.take_event("evt", wanted, NOTHING, Teller(n)) for n in range(20)))
    (job,) = await all_jobs(store)
    assert set(answers) == {f"0 {job.id}"}


async def test_an_event_fails_where_a_sequence_has_moved(store: Store, flow: Workflow) -> None:
    """An event that was decided on another value of a sequence leaves nothing, and can come again."""
    await step(store, RuleRecords(sequences={"n": (0, 5)}))
    wanted = [CreateJob(flow.name, begin())]
    with pytest.raises(SequenceTaken):
        await store.take_event("evt", wanted, ALL, names)
    assert (await store.read_event_answer("evt"), await all_jobs(store)) == (None, ())
    assert await store.take_event("evt", wanted, ALL._replace(sequences={"n": (5, 6)}), names) == "Job"


async def test_events_that_come_together_are_done_together(
    store: Store, flow: Workflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many events at once take few transactions, and each has its own effects and answer, or is refused by itself."""
    await store.take_event("old", (), NOTHING, lambda _: "old answer")
    assert isinstance(store, BatchingStore)
    apply, written = store.backend.apply, Counter[str]()

    async def counted(plan: Plan, checkpoint: Checkpoint | None = None) -> Applied:
        written[type(checkpoint).__name__] += 1
        return await apply(plan, checkpoint)

    monkeypatch.setattr(store.backend, "apply", counted)
    each = [
        RuleRecords(
            [TASK._replace(key=f"t{n}")], [POINTS._replace(key=f"p{n}", points=n)], {f"own {n}": (0, n + 1)},
            {("root", f"{n % 3}"): 50 - n},
        )
        for n in range(40)
    ]  # fmt: skip
    wanted = [CreateJob(flow.name, begin())]
    answers = await together(
        *(store.take_event(f"evt{n}", wanted, records, Teller(n)) for n, records in enumerate(each)),
        store.take_event("evt3", wanted, NOTHING, Teller(77)),
        store.take_event("old", wanted, NOTHING, Teller(78)),
        store.take_event("late", wanted, RuleRecords([TASK], sequences={"own 5": (0, 9)}), Teller(79)),
        store.take_event("next", wanted, RuleRecords(sequences={"own 5": (6, 7)}), Teller(80)),
    )
    jobs = [job.id for job in await all_jobs(store)]
    assert answers[:40] == [f"{n} {job}" for n, job in enumerate(jobs[:40])]
    assert answers[40:42] == [answers[3], "old answer"]
    assert isinstance(answers[42], SequenceTaken)
    assert answers[43] == f"80 {jobs[40]}"
    assert len(jobs) == 41
    assert await store.read_event_answer("late") is None
    assert written.keys() == {"EventAnswers"}
    assert written.total() < 10
    assert [task.key for task in await store.list_tasks(TaskQuery())] == [f"t{n}" for n in range(40)]
    assert await store.score_totals(["user_42"]) == {"user_42": sum(range(40))}
    assert await store.sequences(["own 5", "own 39"]) == {"own 5": 7, "own 39": 40}
    assert await store.repetitions("root") == {str(k): sum(50 - n for n in range(k, 40, 3)) for k in range(3)}


async def test_one_event_of_many_may_fail(store: Store, flow: Workflow) -> None:
    """If no answer can be made to one of the events that come together, the others are done all the same."""
    large = await store.create_job(flow.name, begin(definition={"text": "x" * 200_000}))

    def fail(_: Sequence[Any]) -> str:
        raise ArithmeticError("no answer")

    wanted = [CreateJob(flow.name, begin("c"))]
    answers = await together(
        *(store.take_event(f"evt{n}", wanted, NOTHING, Teller(n)) for n in range(3)),
        store.take_event("bad", wanted, ALL, fail),
        store.take_event("large", [ChangeJob(large.id, move("RUN"))], NOTHING, names),
    )
    jobs = await all_jobs(store, client_id="c")
    assert answers[:3] == [f"{n} {job.id}" for n, job in enumerate(jobs)]
    assert isinstance(answers[3], ArithmeticError)
    assert answers[4] == "Job"
    assert await kept(store) == ([], 0, 0, {})


async def test_an_id_of_an_event_may_be_any_text(store: Store) -> None:
    """Clients choose ids: empty ones, long ones, and such with characters that no database has are told apart."""
    ids = ["", "\0", "\ud800", "\udc00", "x" * 100_000, "x" * 100_001, "é"]
    taken = [await store.take_event(event_id, (), NOTHING, Teller(n)) for n, event_id in enumerate(ids)]
    assert taken == [f"{n} \u2028" for n in range(len(ids))]
    assert [await store.read_event_answer(event_id) for event_id in ids] == taken


async def test_what_an_event_is_answered_with_may_fail(store: Store, flow: Workflow) -> None:
    """If no answer can be made, nothing happens."""

    def fail(_: Sequence[Any]) -> str:
        raise ArithmeticError("no answer")

    with pytest.raises(ArithmeticError):
        await store.take_event("evt", [CreateJob(flow.name, begin())], ALL, fail)
    assert (await all_jobs(store), await kept(store)) == ((), ([], 0, 0, {}))


async def test_followers_get_what_follows_from_events(store: Store, flow: Workflow) -> None:
    """What an event from outside does is on the log, and comes to who follows."""
    follower = store.follow_log()
    await store.take_event("evt", [CreateJob(flow.name, begin())], NOTHING, names)
    assert list(await anext(follower)) == await job_log(store)


async def test_answers_are_dropped_after_a_day(store: Store, clock: SetClock) -> None:
    """An answer is kept for a day; what comes with its id later is a new event."""
    await store.take_event("old", (), NOTHING, lambda _: "1")
    clock.now += KEPT
    await store.take_event("new", (), NOTHING, lambda _: "2")
    assert await store.run_chores(100) == 0
    clock.now += 1
    assert await store.run_chores(0) == 0
    assert await store.run_chores(100) == 1
    assert (await store.read_event_answer("old"), await store.read_event_answer("new")) == (None, "2")
    assert await store.take_event("old", (), NOTHING, lambda _: "3") == "3"


@pytest.mark.parametrize(("bound", "most"), [("MOST_ANSWERS", 3), ("MOST_ANSWER_BYTES", 39)])
async def test_answers_are_bounded(
    store: Store, clock: SetClock, monkeypatch: pytest.MonkeyPatch, bound: str, most: int
) -> None:
    """Of answers that are too many, or too large together, the oldest are dropped, however young they are."""
    monkeypatch.setattr(rule_records, bound, most)
    for n in range(8):
        clock.now += 1
        await store.take_event(f"evt{n}", (), NOTHING, lambda _: "é" * 6)
    assert [await store.run_chores(2) for _ in range(4)] == [2, 2, 1, 0]
    assert [n for n in range(8) if await store.read_event_answer(f"evt{n}")] == [5, 6, 7]


async def test_points_are_given_once(store: Store, clock: SetClock) -> None:
    """An entry with a key that is there is left out, and the sum is that of the others."""
    first, second = POINTS, ScoreEntry("q", "user_42", -25.5, "returned\0\ud800" + "x" * 3000)
    await step(store, RuleRecords(scores=[first, first._replace(points=9), second]))
    clock.now += 5
    await step(store, RuleRecords(scores=[first, ScoreEntry("r", "other", 1e12, "")]))
    assert await store.score_totals(["user_42", "other", "none", "\0"]) == {
        "user_42": 49.5, "other": 1e12, "none": 0, "\0": 0,
    }  # fmt: skip
    scores = await store.list_scores(0, 100)
    assert [score[1:] for score in scores] == [
        ("p", "user_42", 75, "food", NOON),
        ("q", "user_42", -25.5, "returned\ufffd?" + "x" * 1990, NOON),
        ("r", "other", 1e12, "", NOON + 5),
    ]
    assert list(await store.list_scores(scores[0].number, 1)) == [scores[1]]
    assert [score.key for score in await store.list_scores(0, 9, "other")] == ["r"]
    for nothing in ((0, -1, None), (2**70, 5, None), (0, 5, "none"), (0, 5, "\0")):
        assert list(await store.list_scores(*nothing)) == []
    assert isinstance(scores[0], Score)


async def test_repetitions_count_what_came_of_a_root(store: Store, clock: SetClock) -> None:
    """Each root has counts of its own, which are added up, and are dropped a day after they were written."""
    await step(store, RuleRecords(repetitions={("root", "a"): 2, ("root", "b"): 1, ("other", "a"): 1}))
    clock.now += KEPT
    await step(store, RuleRecords(repetitions={("root", "a"): 1, ("root", "b"): 4}))
    assert await store.repetitions("root") == {"a": 3, "b": 5}
    clock.now += 1
    assert await store.run_chores(100) == 1
    assert (await store.repetitions("root"), await store.repetitions("other")) == ({"a": 3, "b": 5}, {})
    clock.now += KEPT
    assert [await store.run_chores(1) for _ in range(3)] == [1, 1, 0]
    for none in ("", "\0", "\ud800"):
        assert await store.repetitions(none) == {}


@pytest.mark.parametrize(
    "text", ["", "\0", "a\0b", "\ud800", "x" * (LONGEST_NAME + 1), "é" * (LONGEST_NAME // 2 + 1)], ids=repr
)
async def test_records_that_no_database_takes_are_refused(store: Store, text: str) -> None:
    """Records with a text that is no key are refused with a sentence before anything has happened."""
    for records in (
        RuleRecords([TASK._replace(key=text)]),
        RuleRecords([TASK._replace(kind=text)]),
        RuleRecords(scores=[POINTS._replace(key=text)]),
        RuleRecords(scores=[POINTS._replace(actor_id=text)]),
        RuleRecords(sequences={text: (0, 1)}),
        RuleRecords(repetitions={(text, "a"): 1}),
        RuleRecords(repetitions={("a", text): 1}),
    ):
        assert records.fault
        with pytest.raises(ValueError, match=r"is no text of 1 to 1200 bytes without U\+0000"):
            await step(store, records)
        with pytest.raises(ValueError, match="is no text"):
            await store.take_event("evt", (), records, names)
    assert (await store.consumer("rules")).steps == 0
    assert await store.read_event_answer("evt") is None
    assert not is_name(text)


async def test_the_longest_names_are_kept(store: Store) -> None:
    """Names of as many bytes as are allowed can be found again, also such that no index could make shorter."""
    long = "".join(chr(0x3400 + n * 7919 % 0x5000) for n in range(LONGEST_NAME // 3))
    longest = RuleRecords(
        [TASK._replace(key=long, kind=long)], [ScoreEntry(long, long, 1, "")], {long: (0, 1)}, {(long, long): 1}
    )
    await step(store, longest)
    assert await store.repetitions(long) == {long: 1}
    assert await store.score_totals([long]) == {long: 1}
    assert await store.sequences([long]) == {long: 1}
    assert [task.key for task in await store.claim_tasks([long], 1, 60)] == [long]


@pytest.mark.parametrize("points", [float("nan"), float("inf"), float("-inf"), 1.1e12, -1.1e12])
async def test_points_are_bounded(store: Store, points: float) -> None:
    """What is no number, or more than anybody can be given, is refused before anything has happened."""
    with pytest.raises(ValueError, match=r"points are more than 1,000,000,000,000, or no number"):
        await step(store, RuleRecords(scores=[POINTS._replace(points=points)]))
    assert (await store.consumer("rules")).steps == 0


async def test_records_outlive_the_store(lasting: Backend, tmp_path: Path, clock: SetClock) -> None:
    """After a restart all is there that rules have left."""
    async with lasting.open(tmp_path, clock) as store:
        await store.take_event("evt", (), ALL, names)
    async with lasting.open(tmp_path, clock) as store:
        assert await kept(store) == (["t"], 75, 1, {"element": 1})
        assert await store.take_event("evt", (), ALL, lambda _: "other") == "nothing"


async def test_a_stale_job_is_decided_on_again(store: Store, flow: Workflow) -> None:
    """What follows from an event is decided on jobs as they are, among changes that others make meanwhile."""
    job = await store.create_job(flow.name, begin())

    def versions(results: Sequence[Any]) -> str:
        return ",".join(str(each.version) if isinstance(each, Job) else type(each).__name__ for each in results)

    answers = await together(
        *(store.change_job(job.id, move("NEW")) for _ in range(5)),
        store.take_event("evt", [ChangeJob(job.id, move("RUN")), ChangeJob("x", move("RUN"))], NOTHING, versions),
    )
    assert answers[-1] == f"{(await store.get_job(job.id)).version},{JobNotFound.__name__}"
