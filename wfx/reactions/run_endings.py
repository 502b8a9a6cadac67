"""How runs of scripts and steps end: what they return is done in the transaction that ends their tasks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from weakref import WeakValueDictionary

from wfx.domain import transition
from wfx.domain.cause import Cause, decode_cause
from wfx.domain.errors import JobNotFound, TransitionRefused
from wfx.domain.job import Change, Job, Status
from wfx.domain.json import decode
from wfx.domain.numbers import encode_free_form
from wfx.domain.workflow import Actor
from wfx.reactions.admission import Admission
from wfx.reactions.effects import Effects, Lineage, actor_of, effects_of_actions
from wfx.reactions.figures import RuleFigures
from wfx.reactions.returned import ReturnedAction, read
from wfx.reactions.tokens import NOBODY, Owner
from wfx.rules.action_types import ActionTypes
from wfx.rules.evaluation import PlannedAction, planned
from wfx.rules.event import Event
from wfx.rules.graph import Action
from wfx.rules.own_actions import RUN_STEP
from wfx.store.operations import ChangeJob
from wfx.store.protocol import Store
from wfx.store.rule_records import Task
from wfx.store.upkeep import present
from wfx.tasks.performing import CannotBeDone, Ending

LARGEST = 1024 * 1024
"""Bytes of what a run is given."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a task asks for."""

    kind: str
    """What is run: script or step."""
    name: str
    """Of that."""
    payload: Any
    data: Mapping[str, Any]
    job_id: str
    state: str
    """The state that the job must be in; empty for any."""
    rule: str
    action: str

    @classmethod
    def of(cls, task: Task) -> Wanted:
        """Read the input of a task, which a rule has checked."""
        given: Mapping[str, Any] = decode(task.input)
        texts = {name: str(given.get(name, "")) for name in ("job_id", "state", "rule", "action")}
        kind = "step" if task.kind == RUN_STEP else "script"
        texts["name"] = str(given.get(kind, ""))
        return cls(kind=kind, payload=given.get("payload"), data=given.get("data", {}), **texts)


class RunEndings:
    """Makes the ends of tasks of what runs return."""

    def __init__(
        self,
        store: Store,
        types: Callable[[], ActionTypes],
        admission: Admission,
        most: Callable[[], int],
        figures: RuleFigures,
    ) -> None:
        """Take actions of these types, each ``most()`` times in a chain of events; 0 is no limit.

        What lacks a token waits, by ``admission``; what became of actions is counted in ``figures``.
        """
        self._store = store
        self._figures = figures
        self._turns = WeakValueDictionary[str, asyncio.Lock]()
        """By the root of a chain: held from a decision by what was taken in it until that is written."""
        self._admission = admission
        self._types = types
        self._most = most

    async def job_of(self, wanted: Wanted) -> Job | None:
        """Return the job of a run, if it has one. Raises CannotBeDone if it is not as it was."""
        if not wanted.job_id:
            return None
        try:
            job = await self._store.get_job(wanted.job_id)
        except JobNotFound as exc:
            raise CannotBeDone(f"stale: there is no job {wanted.job_id} any more") from exc
        if stale := _stale(job, wanted.state):
            raise CannotBeDone(stale)
        return job

    async def ending(self, task: Task, wanted: Wanted, job: Job | None, value: Mapping[str, Any]) -> Ending:
        """Return what is done in the store. Raises CannotBeDone if the run wants what it may not.

        Until it is released no other run of the same chain gets one here.
        """
        cause = _cause_of(task)
        returned = await read(value, wanted.kind, self._types)
        following = returned.next
        if following and job is None:
            raise CannotBeDone(f"the {wanted.kind} wants the state {following[:100]!a}, and the event has no job")
        moves = [] if job is None or not following else [_move(cause, wanted, job, following, returned.context)]
        turn = self._turns.setdefault(_root_of(task, cause), asyncio.Lock())
        await turn.acquire()
        try:
            effects = await self._effects(task, wanted, job, cause, returned.actions)
        except BaseException:
            turn.release()
            raise
        tell = partial(_tell, following, len(moves), effects)
        note = partial(self._note, task, cause, len(moves), effects)
        return Ending([*moves, *effects.operations], effects.records, tell, note, turn.release)

    async def _effects(
        self, task: Task, wanted: Wanted, job: Job | None, cause: Cause, actions: Sequence[ReturnedAction]
    ) -> Effects:
        """Return what carries out the actions that a run asks for."""
        root = _root_of(task, cause)
        lineage = Lineage(root, await self._store.repetitions(root), self._most())
        plans = [*_plans(wanted, actions, _event_of(wanted))]
        owner = NOBODY if job is None else Owner(job.client_id, job.workflow.name)
        effects = effects_of_actions(
            wanted.rule, plans, key=task.key, cause=cause, now=present(), lineage=lineage, owner=owner,
            counted_as=f"({wanted.kind} {wanted.name})",
        )  # fmt: skip
        return await self._admission.admit_at_once(effects)

    def _note(self, task: Task, cause: Cause, moves: int, effects: Effects, answers: Sequence[Any]) -> None:
        """Count what became of the actions, once that is written."""
        self._admission.note_done(effects)
        event = Event(type="script", id=_root_of(task, cause))
        self._figures.note_actions(event, effects.answers(answers[moves:]), cause.root)


def _cause_of(task: Task) -> Cause:
    """Return the cause of what a run brings about: it counts as an event of its chain, since it may ask for others."""
    cause = decode_cause(task.cause)
    return cause._replace(depth=cause.depth + 1)


def _root_of(task: Task, cause: Cause) -> str:
    """Name the chain of a task: by the event of the log that began it, or by one from outside, as keys do."""
    return "/".join(task.key.split("/", 2)[:2]) if cause.root is None else str(cause.root)


def _move(cause: Cause, wanted: Wanted, job: Job, state: str, context: Mapping[str, Any] | None) -> ChangeJob:
    """Return the report of the run. Raises CannotBeDone if ``state`` is none that it may move the job to."""
    status = Status(state, context=None if context is None else encode_free_form(context))
    decide = partial(_decide, wanted=status, expected=job.state)
    try:
        decide(job)
    except TransitionRefused as exc:
        raise CannotBeDone(str(exc)) from exc
    encoded = cause._replace(actor=actor_of(wanted.rule)).encoded
    return ChangeJob(job.id, decide, len(status.context or b""), encoded)


def _decide(job: Job, *, wanted: Status, expected: str) -> Change:
    """Move a job, which must still be in the expected state, as ``WFX``. Raises TransitionRefused."""
    if stale := _stale(job, expected):
        raise TransitionRefused(stale)
    if Actor.WFX not in job.workflow.eligible.get((job.state, wanted.state), ()):
        raise TransitionRefused(f"WFX may not move the job from {job.state} to {wanted.state}")
    return transition.decide(job, wanted, Actor.WFX)


def _stale(job: Job, state: str) -> str:
    return "" if state in ("", job.state) else f"stale: the job is in {job.state}, and was in {state}"


def _plans(wanted: Wanted, actions: Sequence[ReturnedAction], event: Event) -> Iterator[PlannedAction]:
    for number, (kind, parameters) in enumerate(actions, 1):
        yield planned(Action(f"{wanted.action}.{number}", kind, lambda _: {}), partial(dict, parameters), event)


def _event_of(wanted: Wanted) -> Event:
    payload = wanted.payload if isinstance(wanted.payload, dict) else {}
    return Event(type="script", payload={**payload, **({"job_id": wanted.job_id} if wanted.job_id else {})})


def _tell(state: str, moves: int, effects: Effects, answers: Sequence[Any]) -> str:
    """Say what was done. Raises CannotBeDone if the job was moved meanwhile: then nothing is done."""
    if moves and isinstance(answers[0], BaseException):
        raise CannotBeDone(str(answers[0]))
    results = effects.answers(answers[moves:])
    failed = [f"{result.action_id}: {result.message}" for result in results if not result.success]
    done = [f"moved the job to {state}"] if moves else []
    if results:
        done.append(f"{len(results) - len(failed)} of {len(results)} actions")
    return "; ".join([*(done or ["nothing to do"]), *failed])


def shown_job(job: Job) -> Mapping[str, Any]:
    """Return a job as runs see it."""
    return {
        "id": job.id,
        "clientId": job.client_id,
        "workflow": job.workflow.name,
        "state": job.state,
        "tags": decode(job.tags),
        "status": decode(job.status),
        "definition": None if job.definition is None else decode(job.definition),
    }
