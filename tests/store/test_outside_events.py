"""Events from outside: many in one transaction, each once, and none in the way of another."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import pytest

from tests.store.samples import FLOW
from wfx.domain import creation
from wfx.domain.cause import UNKNOWN
from wfx.domain.errors import SequenceTaken
from wfx.domain.job import Job
from wfx.store.operations import CreateJob
from wfx.store.protocol import Store
from wfx.store.rule_records import NOTHING, RuleRecords, ScoreEntry


def creates(client_id: str, workflow: str = FLOW.name) -> CreateJob:
    """The creation of a job."""
    decide = partial(creation.decide, client_id=client_id, definition=None, tags=None)
    return CreateJob(workflow, decide, 0, UNKNOWN)


def points(actor_id: str, key: str, number: float = 1) -> RuleRecords:
    """Points for somebody."""
    return RuleRecords(scores=[ScoreEntry(key, actor_id, number, "")])


def says(text: str) -> Callable[[Sequence[Any]], str]:
    """An answer, with what the operations gave."""

    def tell(results: Sequence[Any]) -> str:
        return " ".join([text, *(each.client_id if isinstance(each, Job) else type(each).__name__ for each in results)])

    return tell


@pytest.mark.usefixtures("flow")
async def test_many_at_once_are_each_done(store: Store) -> None:
    """Events that come at the same time each get their own answer, and each is done."""
    answers = await asyncio.gather(
        *(store.take_event(f"e{n}", [creates(f"c{n}")], points("a", f"k{n}"), says(f"told {n}")) for n in range(200))
    )
    assert answers == [f"told {n} c{n}" for n in range(200)]
    assert await store.score_totals(["a"]) == {"a": 200}
    assert (await store.log_bounds()).head == 201


async def test_they_share_transactions(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Events that wait for the store at the same time are written together."""
    apply, commits = store.backend.apply, list[Any]()  # type: ignore[attr-defined]

    async def counting(*parts: Any) -> Any:
        commits.append(parts)
        return await apply(*parts)

    monkeypatch.setattr(store.backend, "apply", counting)  # type: ignore[attr-defined]
    await asyncio.gather(*(store.take_event(f"e{n}", (), points("a", f"k{n}"), says("")) for n in range(100)))
    assert len(commits) <= 3
    assert await store.score_totals(["a"]) == {"a": 100}


async def test_an_id_is_answered_once(store: Store) -> None:
    """Whoever comes with an id again, at once or later, among others or alone, gets the first answer alone."""
    assert await store.take_event("old", (), points("a", "k"), says("old")) == "old"
    ids = ["new", "old", "new", "other", "new", "old"]
    answers = await asyncio.gather(
        *(store.take_event(each, (), points("a", f"k{n}"), says(f"{n}")) for n, each in enumerate(ids))
    )
    assert answers == ["0", "old", "0", "3", "0", "old"]
    assert await store.take_event("new", (), points("a", "k9"), says("9")) == "0"
    assert await store.read_event_answer("other") == "3"
    assert await store.score_totals(["a"]) == {"a": 3}


async def test_sequences_go_on_within_a_transaction(store: Store) -> None:
    """Events that draw from a sequence one after the other are all done; who has seen an old number is refused."""
    drawn = [(0, 1), (1, 3), (1, 2), (3, 4)]
    results = await asyncio.gather(
        *(
            store.take_event(f"e{n}", (), RuleRecords(sequences={"s": pair}), says(f"{n}"))
            for n, pair in enumerate(drawn)
        ),
        return_exceptions=True,
    )
    assert [isinstance(each, SequenceTaken) or each for each in results] == ["0", "1", True, "3"]
    assert await store.sequences(["s"]) == {"s": 4}
    assert await store.read_event_answer("e2") is None


@pytest.mark.usefixtures("flow")
async def test_one_that_fails_disturbs_no_other(store: Store) -> None:
    """An event that has no answer is not done, those with it are; refused operations are for its answer to tell."""

    def fail(_: Sequence[Any]) -> str:
        raise ZeroDivisionError

    results = await asyncio.gather(
        store.take_event("a", [creates("c")], points("a", "k1"), says("a")),
        store.take_event("b", [creates("d")], points("a", "k2"), fail),
        store.take_event("c", [creates("e", "none")], points("a", "k3"), says("c")),
        return_exceptions=True,
    )
    assert [isinstance(each, ZeroDivisionError) or each for each in results] == ["a c", True, "c WorkflowNotFound"]
    assert await store.score_totals(["a"]) == {"a": 2}
    assert await store.read_event_answer("b") is None


@pytest.mark.usefixtures("flow")
async def test_events_and_requests_take_turns(store: Store) -> None:
    """Events between requests are done in the order in which all came."""
    work = []
    for n in range(30):
        decide = partial(creation.decide, client_id=f"c{n}", definition=None, tags=None)
        work.append(store.create_job(FLOW.name, decide))
        work.append(store.take_event(f"e{n}", [creates(f"d{n}")], NOTHING, says("")))  # type: ignore[arg-type]
    await asyncio.gather(*work)
    log = await store.read_log(1, 100)
    assert [event.client_id for event in log] == [f"{kind}{n}" for n in range(30) for kind in "cd"]
