"""One batch of acts in one transaction, inside the writing connection's thread."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from wfx.domain.errors import WorkflowInUse, WorkflowNotFound, WorkflowNotUnique
from wfx.domain.job import Event
from wfx.domain.workflow import Workflow
from wfx.store.acts import Act, CreateJob, CreateWorkflow, DeleteWorkflow, JobAct, PruneLog, RareAct
from wfx.store.plan import Clock, Image, Plan, Stored
from wfx.store.sqlite.rows import place_rows, stored_of, workflow_of_job
from wfx.store.sqlite.statements import SQL, for_items, for_rows
from wfx.store.sqlite.workflows import WorkflowCache, load_named, load_numbered, read
from wfx.store.sqlite.writing import write

AnyAct = TypeVar("AnyAct", bound=Act)


@dataclass(slots=True)
class Position:
    """Where the log and the jobs' numbers stand."""

    head: int
    horizon: int
    """The newest event that was pruned."""
    last_job: int
    """The highest number of a job."""
    last_former: int
    """The highest number of a history entry."""
    log_id: str

    @classmethod
    def read(cls, connection: sqlite3.Connection) -> Position:
        """Take it from the tables."""
        head, horizon, last_job, last_former, log_id = connection.execute(SQL["position"]).fetchone()
        # When everything was pruned, only the horizon remembers how far the numbers had come.
        return cls(max(head, horizon), horizon, last_job, last_former, log_id)


@dataclass(slots=True)
class Batch:
    """What became of a batch."""

    position: Position
    answers: list[Any] = field(default_factory=list)
    """For each act its result, or the exception that refused it."""
    events: list[Event] = field(default_factory=list)
    images: list[Image] = field(default_factory=list)
    """What the jobs have become, in the order in which it happened."""


def commit(
    connection: sqlite3.Connection,
    acts: Sequence[Act],
    position: Position,
    *,
    known: dict[str, Stored],
    cache: WorkflowCache,
    clock: Clock,
) -> Batch:
    """Do the acts in order and make them durable together. Raises sqlite3.Error, and then nothing has changed.

    ``known`` holds jobs as the tables have them, by id; the others that acts name are read.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        transaction = _Transaction(connection, replace(position), known, cache, clock)
        transaction.perform(acts)
        connection.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):
            connection.rollback()
        raise
    transaction.publish_workflows()
    return transaction.batch


class _Transaction:
    """The acts' common work. Workflows made or dropped here are known here only, until the commit."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        position: Position,
        known: dict[str, Stored],
        cache: WorkflowCache,
        clock: Clock,
    ) -> None:
        self._connection = connection
        self._known = known
        self._cache = cache
        self._clock = clock
        self._position = position
        self._named: dict[str, Workflow | None] = {}
        self.batch = Batch(position)

    def perform(self, acts: Sequence[Act]) -> None:
        """Work out runs of job acts together. Rare acts between them look at the tables: rows are written before."""
        run: list[JobAct] = []
        for act in acts:
            if not isinstance(act, RareAct):
                run.append(act)
                continue
            self._perform_jobs(run)
            run = []
            self.batch.answers.append(self._attempt(self._perform_rare, act))
        self._perform_jobs(run)

    def publish_workflows(self) -> None:
        """Tell the cache what the names stand for now."""
        for name, workflow in self._named.items():
            if workflow is None:
                self._cache.unname(name)
            else:
                self._cache.name(workflow)

    @staticmethod
    def _attempt(perform: Callable[[AnyAct], Any], act: AnyAct) -> Any:
        try:
            return perform(act)
        except sqlite3.Error:
            raise
        except Exception as exc:  # noqa: BLE001 - whatever a decision raises is for its own caller
            return exc

    def _perform_jobs(self, acts: Sequence[JobAct]) -> None:
        if not acts:
            return
        plan = self._plan(acts)
        self.batch.answers.extend(self._attempt(plan.perform, act) for act in acts)
        self._position.last_former = write(self._connection, plan, self._position.last_former)
        self._known.clear()  # what comes later in the batch reads anew
        self.batch.images.extend(plan.images)
        self.batch.events.extend(plan.events)
        self._position.head = plan.head
        self._position.last_job = plan.last_number

    def _plan(self, acts: Sequence[JobAct]) -> Plan:
        names = {act.workflow for act in acts if isinstance(act, CreateJob)}
        ids = {act.job_id for act in acts if not isinstance(act, CreateJob)}
        return Plan(
            self._load_jobs(ids),
            self._load_workflows(names),
            head=self._position.head,
            last_number=self._position.last_job,
            clock=self._clock,
        )

    def _load_jobs(self, ids: set[str]) -> list[Stored]:
        known = [stored for job_id, stored in self._known.items() if job_id in ids]
        rows = list(for_items(self._connection, "jobs_by_id", list(ids - self._known.keys())))
        numbers = set(map(workflow_of_job, rows))
        workflows = load_numbered(self._connection, numbers, self._cache.numbered(numbers))
        return known + [stored_of(row, workflows) for row in rows]

    def _load_workflows(self, names: set[str]) -> dict[str, Workflow]:
        for name in names - self._named.keys():
            self._named[name] = self._cache.named(name)
        missing = [name for name in names if self._named[name] is None]
        self._named |= {workflow.name: workflow for workflow in load_named(self._connection, missing)}
        return {name: workflow for name in names if (workflow := self._named[name]) is not None}

    def _perform_rare(self, act: RareAct) -> Workflow | int | None:
        match act:
            case CreateWorkflow():
                return self._create_workflow(act)
            case DeleteWorkflow():
                self._delete_workflow(act)
            case PruneLog():
                return self._prune_log(act)
        return None

    def _create_workflow(self, act: CreateWorkflow) -> Workflow:
        name, document = act.workflow.name, act.workflow.encoded.decode()
        if self._load_workflows({name}):
            raise WorkflowNotUnique(name)
        number = self._connection.execute(SQL["insert_workflow"], (name, document)).lastrowid
        assert number is not None
        workflow = self._named[name] = read(number, document)
        for_rows(self._connection, "insert_places", place_rows(workflow))
        return workflow

    def _delete_workflow(self, act: DeleteWorkflow) -> None:
        workflow = self._load_workflows({act.name}).get(act.name)
        if workflow is None:
            raise WorkflowNotFound(act.name)
        if self._connection.execute(SQL["workflow_in_use"], (workflow.number,)).fetchone()[0]:
            raise WorkflowInUse(act.name)
        self._connection.execute(SQL["delete_places"], (workflow.number,))
        self._connection.execute(SQL["hide_workflow"], (self._position.head, workflow.number))
        self._named[act.name] = None

    def _prune_log(self, act: PruneLog) -> int:
        old = self._position.horizon
        last = min(old + max(act.at_most, 0), self._position.head)
        beyond = max(old, min(last, self._position.head - max(act.keep_newest, 0)))
        # Behind what the number kept allows, age decides: up to the first event that is young enough to stay.
        stop = self._connection.execute(SQL["first_event_to_keep"], (beyond + 1, last, act.older_than)).fetchone()
        horizon = stop[0] - 1 if stop else last
        if horizon > old:
            self._connection.execute(SQL["prune_events"], (horizon,))
            self._connection.execute(SQL["set_horizon"], (horizon,))
            self._position.horizon = horizon
        self._connection.execute(SQL["forget_workflows"], (horizon,))
        return horizon - old

