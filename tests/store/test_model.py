"""Long random lives of a store, side by side with the model."""
# ruff: noqa: D102 - the rules of the machine are named by what they do

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule, run_state_machine_as_test

from tests.store.backends import Backend, SetClock
from tests.store.model import Model
from tests.store.samples import (
    FLOW,
    all_jobs,
    begin,
    history_of,
    in_pieces,
    move,
    redefine,
    renamed,
    tag,
    together,
    untag,
)
from wfx.domain.errors import WfxError
from wfx.domain.job import HistoryEntry, Job
from wfx.domain.json import decode
from wfx.domain.query import JobQuery, Paging
from wfx.domain.timestamp import Timestamp
from wfx.domain.workflow import State, Workflow
from wfx.store.protocol import Store
from wfx.store.sqlite import batch_sql

_names = st.sampled_from(["flow-a", "flow-b", "flow-c"])
_tags = st.lists(st.sampled_from("xyz"), max_size=2, unique=True)
_definitions = st.none() | st.dictionaries(st.sampled_from("ab"), st.integers(0, 3), max_size=2)
_decisions = st.one_of(
    st.sampled_from(["NEW", "RUN", "DONE", "LOST", "NOWHERE"]).map(move),
    _tags.map(lambda names: tag(*names)),
    _tags.map(lambda names: untag(*names)),
    _definitions.map(lambda document: redefine(document or {})),
)
_positions = st.integers(-1, 40)
_rooms = st.sampled_from([0, 500, 2000])


class Life(RuleBasedStateMachine):
    """Does the same to a store and to the model, and compares all that can be seen."""

    backend: Backend
    jobs: Bundle[str] = Bundle("jobs")

    def __init__(self) -> None:
        """Open an empty store."""
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory()
        self.clock = SetClock()
        self.model = Model()
        self.restarts = 0
        self.stack = AsyncExitStack()
        self.store: Store = self.runner.run(self._open())

    async def _open(self) -> Store:
        return await self.stack.enter_async_context(self.backend.open(Path(self.folder.name), self.clock))

    def teardown(self) -> None:
        """Close the store."""
        self.runner.run(self.stack.aclose())
        self.runner.close()
        self.folder.cleanup()

    def both(self, act: Coroutine[Any, Any, Any], same: Callable[[], Any]) -> Any:
        """Do the act, then the same on the model: with the same result or the same refusal."""
        answer = self.runner.run(_outcome(act))
        assert _comparable(answer) == _comparable(_outcome_of(same))
        return answer

    @rule(name=_names, small=st.booleans())
    def create_workflow(self, name: str, *, small: bool) -> None:
        workflow = Workflow(name, (State("NEW"),)) if small else renamed(name, FLOW)
        self.both(self.store.create_workflow(workflow), lambda: self.model.create_workflow(workflow, self.clock.now))

    @rule(name=_names)
    def delete_workflow(self, name: str) -> None:
        self.both(self.store.delete_workflow(name), lambda: self.model.delete_workflow(name, self.clock.now))

    @rule(target=jobs, name=_names, definition=_definitions, tags=_tags, count=st.integers(1, 3))
    def create_jobs(self, name: str, definition: dict[str, Any] | None, tags: list[str], count: int) -> Any:
        decisions = [begin(f"client-{n}", definition=definition, tags=tags) for n in range(count)]
        answers = self.runner.run(together(*(self.store.create_job(name, decide) for decide in decisions)))
        for answer, decide in zip(answers, decisions, strict=True):
            same = self._create_on_model(name, decide, answer)
            assert _comparable(answer) == _comparable(same)
        return multiple(*(answer.id for answer in answers if isinstance(answer, Job)))

    def _create_on_model(self, name: str, decide: Any, answer: Any) -> Any:
        job_id = answer.id if isinstance(answer, Job) else ""
        return _outcome_of(lambda: self.model.create_job(name, decide, job_id, self.clock.now))

    @rule(job_id=jobs, decisions=st.lists(_decisions, min_size=1, max_size=4))
    def change_job(self, job_id: str, decisions: list[Any]) -> None:
        answers = self.runner.run(together(*(self.store.change_job(job_id, decide) for decide in decisions)))
        for answer, decide in zip(answers, decisions, strict=True):
            same = _outcome_of(partial(self.model.change_job, job_id, decide, self.clock.now))
            assert _comparable(answer) == _comparable(same)

    @rule(job_id=jobs)
    def delete_job(self, job_id: str) -> None:
        self.both(self.store.delete_job(job_id), lambda: self.model.delete_job(job_id, self.clock.now))

    @rule(keep=st.integers(0, 5), age=st.integers(-50, 50), most=st.integers(0, 10))
    def prune_log(self, keep: int, age: int, most: int) -> None:
        older = Timestamp(self.clock.now - age)
        self.both(
            self.store.prune_log(keep_newest=keep, older_than=older, at_most=most),
            lambda: self.model.prune_log(keep, older, most),
        )

    @rule(most=st.integers(-1, 4))
    def run_chores(self, most: int) -> None:
        swept = self.runner.run(self.store.run_chores(most))
        assert 0 <= swept <= max(most, 0)

    @rule(by=st.integers(-30, 60))
    def pass_time(self, by: int) -> None:
        self.clock.now += by

    @rule()
    def restart(self) -> None:
        self.restarts += 1
        if self.backend.kind == "postgres" and self.restarts % 4 != 1:
            return  # it takes as long as fifty other acts
        if self.backend.lasting:
            self.runner.run(self.stack.aclose())
            self.store = self.runner.run(self._open())

    @rule(job_id=jobs)
    def look_at_a_job(self, job_id: str) -> None:
        self.both(self.store.get_job(job_id), lambda: self.model.get_job(job_id))
        self.both(history_of(self.store, job_id, 99), lambda: self.model.get_history(job_id))

    @rule(job_id=jobs, room=_rooms)
    def read_a_history_in_pieces(self, job_id: str, room: int) -> None:
        self.both(self._history(job_id, room), lambda: self.model.get_history(job_id))

    async def _history(self, job_id: str, room: int) -> list[HistoryEntry]:
        return await in_pieces(self.store, await self.store.get_history(job_id, 99, room=room), room)

    @rule(room=_rooms, descending=st.booleans())
    def read_jobs_in_pieces(self, room: int, *, descending: bool) -> None:
        page = self.runner.run(self.store.query_jobs(JobQuery(paging=Paging(0, 0, descending)), room))
        found = self.runner.run(in_pieces(self.store, page, room))
        assert found == list(self.model.jobs.values())[:: -1 if descending else 1]

    @rule(after=_positions)
    def read_the_log(self, after: int) -> None:
        self.both(self.store.read_log(after, 9999), lambda: self.model.read_log(after))

    @rule(
        state=st.sampled_from(["", "NEW", "RUN"]),
        workflow=st.just("") | _names,
        groups=st.sampled_from([(), ("OPEN",), ("CLOSED", "")]),
        tags=_tags.map(tuple),
    )
    def query(self, state: str, workflow: str, groups: tuple[str, ...], tags: tuple[str, ...]) -> None:
        query = JobQuery("", state, workflow, groups, tags, Paging(limit=0, with_total=True))
        found = self.runner.run(self.store.query_jobs(query))
        assert found.total == len(found.items)
        assert found.items == tuple(
            job
            for job in self.model.jobs.values()
            if (not state or job.state == state)
            and (not workflow or job.workflow.name == workflow)
            and (not groups or job.group in groups)
            and (not tags or set(tags) & set(decode(job.tags)))
        )

    @invariant()
    def the_whole_is_the_same(self) -> None:
        assert self.runner.run(all_jobs(self.store)) == tuple(self.model.jobs.values())
        bounds = self.runner.run(self.store.log_bounds())
        assert (bounds.oldest, bounds.head) == (self.model.horizon + 1, len(self.model.log))
        workflows = self.runner.run(self.store.query_workflows(Paging(limit=0))).items
        assert {workflow.name: workflow for workflow in workflows} == self.model.workflows


async def _outcome(act: Coroutine[Any, Any, Any]) -> Any:
    try:
        return await act
    except WfxError as exc:
        return exc


def _outcome_of(act: Callable[[], Any]) -> Any:
    try:
        return act()
    except WfxError as exc:
        return exc


def _comparable(outcome: Any) -> Any:
    return type(outcome) if isinstance(outcome, Exception) else outcome


def live(backend: Backend) -> None:
    """Lead a dozen lives of one kind of store; raises where one differs from the model's."""
    machine = type("LifeOnBackend", (Life,), {"backend": backend})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batch_sql, "_ENTRIES", 1)
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=5 if backend.kind == "postgres" else 12,  # each of its acts goes through a socket
                stateful_step_count=40,
                derandomize=True,
                deadline=None,
                database=None,
                suppress_health_check=list(HealthCheck),
            ),
        )


def test_a_store_does_what_the_model_does(backend: Backend) -> None:
    """Whatever is asked in whatever order, a store gives what lists and dictionaries would give."""
    live(backend)
