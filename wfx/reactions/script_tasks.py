"""Runs of scripts that rules have promised: what a script returns is done in the transaction that ends its task."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from hashlib import sha256
from typing import Any

from wfx.domain import transition
from wfx.domain.cause import Cause, decode_cause
from wfx.domain.definition import DEEPEST, depth_within
from wfx.domain.errors import JobNotFound, StoreError, TransitionRefused
from wfx.domain.job import Change, Job, Status
from wfx.domain.json import Json, decode, encode
from wfx.domain.numbers import encode_free_form
from wfx.domain.script_errors import ScriptNotFound, ScriptsOff
from wfx.domain.timestamp import SECOND
from wfx.domain.workflow import Actor
from wfx.limits.policy import Kind
from wfx.reactions.effects import TASKS, Effects, Lineage, actor_of, effects_of_actions
from wfx.rules.action_types import ActionTypes, effect_of
from wfx.rules.evaluation import PlannedAction, planned
from wfx.rules.event import Event
from wfx.rules.graph import Action
from wfx.scripts.runs import Outcome, Purpose, RunRequest, RunResult
from wfx.service.limits import Limits
from wfx.service.scripts import Scripts
from wfx.store.operations import ChangeJob
from wfx.store.protocol import Store
from wfx.store.rule_records import Task
from wfx.store.script_records import Script
from wfx.store.upkeep import present
from wfx.tasks.performing import CannotBeDone, Ending, TryAgain

LARGEST = 1024 * 1024
"""Bytes of what a script is given."""
_PATIENCE = 10.0
"""Seconds that a run waits for its turn."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What a task asks for."""

    script: str
    payload: Any
    data: Mapping[str, Any]
    job_id: str
    state: str
    """The state that the job must be in; empty for any."""
    rule: str
    action: str

    @classmethod
    def of(cls, task: Task) -> _Wanted:
        """Read the input of a task, which a rule has checked."""
        given: Mapping[str, Any] = decode(task.input)
        texts = {name: str(given.get(name, "")) for name in ("script", "job_id", "state", "rule", "action")}
        return cls(payload=given.get("payload"), data=given.get("data", {}), **texts)


class ScriptTasks:
    """Performs tasks that are runs of scripts."""

    def __init__(
        self,
        store: Store,
        scripts: Scripts,
        types: Callable[[], ActionTypes],
        limits: Limits,
        most: Callable[[], int],
        seconds: float,
    ) -> None:
        """Take actions of these types within the limits, each ``most()`` times in a chain of events; 0 is no limit.

        A script may run for so many seconds.
        """
        self._store = store
        self._limits = limits
        self._scripts = scripts
        self._types = cache(types)
        self._most = most
        self.longest = _PATIENCE + seconds
        """Seconds that an attempt takes at most."""

    async def perform(self, task: Task) -> Ending:
        """Run the script, and return what it wants to be done. Raises as Perform says."""
        try:
            return await self._perform(task)
        except StoreError as exc:
            raise TryAgain(str(exc)) from exc

    async def _perform(self, task: Task) -> Ending:
        wanted = _Wanted.of(task)
        job = await self._job_of(wanted) if wanted.job_id else None
        try:
            async with asyncio.timeout(self.longest):
                purpose = Purpose(task=task.id, job_id=wanted.job_id, request_id=decode_cause(task.cause).request_id)
                result = await self._scripts.run(wanted.script, None, partial(_request, task, wanted, job), purpose)
        except TimeoutError as exc:
            raise TryAgain(f"the script had not run after {self.longest:g} s, most of which it waited") from exc
        except (ScriptNotFound, ScriptsOff) as exc:
            raise CannotBeDone(str(exc)) from exc
        if result.outcome is not Outcome.DONE:
            raise _failure(result)
        return await self._ending(task, wanted, job, _returned(result.value))

    async def _job_of(self, wanted: _Wanted) -> Job:
        try:
            job = await self._store.get_job(wanted.job_id)
        except JobNotFound as exc:
            raise CannotBeDone(f"stale: there is no job {wanted.job_id} any more") from exc
        if stale := _stale(job, wanted.state):
            raise CannotBeDone(stale)
        return job

    async def _ending(self, task: Task, wanted: _Wanted, job: Job | None, value: Mapping[str, Any]) -> Ending:
        """Return what is done in the store. Raises CannotBeDone if the script wants what it may not."""
        cause = _cause_of(task)
        following = value.get("next", "")
        if following and job is None:
            raise CannotBeDone(f"the script wants the state {following[:100]!a}, and the event has no job")
        moves = [] if job is None or not following else [_move(cause, wanted, job, following, value.get("payload"))]
        actions = value.get("actions", [])
        if not isinstance(actions, list):
            raise CannotBeDone("the script returned actions that are no list")
        root = _root_of(task, cause)
        lineage = Lineage(root, await self._store.repetitions(root), self._most())
        plans = [await self._admitted(each) for each in _plans(self._types(), wanted, actions, _event_of(wanted))]
        effects = effects_of_actions(wanted.rule, plans, key=task.key, cause=cause, now=present(), lineage=lineage)
        tell = partial(_tell, following, len(moves), effects)
        return Ending([*moves, *effects.operations], effects.records, tell)

    async def _admitted(self, action: PlannedAction) -> PlannedAction:
        """Return an action, or one that is refused in its place: there is no token, and a run cannot wait for one."""
        effect, given = effect_of(action.action.type), action.parameters
        if effect == "create_job":
            kind, whose = Kind.INSTANCE_START, {name: given.get(name, "") for name in ("client_id", "workflow")}
        elif effect in TASKS:
            kind, whose = Kind.JOB_SCHEDULE, {}
        else:
            return action
        if action.error or not self._limits.is_set(kind) or not await self._limits.take(kind, **whose):
            return action
        return replace(action, error=f"the limit {kind} is used up")


def _request(task: Task, wanted: _Wanted, job: Job | None, script: Script) -> RunRequest:
    """Return all that a run depends on. Raises CannotBeDone for what is too large."""
    payload = encode_free_form(wanted.payload)
    facts = encode({**wanted.data, **({} if job is None else {"job": _shown(job)})})
    if len(payload) + len(facts) > LARGEST:
        raise CannotBeDone(f"the job and the event have more than the {LARGEST:,} bytes that a script is given")
    seed = int.from_bytes(sha256(task.key.encode()).digest()[:6])
    return RunRequest(script.source, payload, wanted.state, facts, seed, task.ctime / SECOND)


def _cause_of(task: Task) -> Cause:
    """Return the cause of what a run brings about: it counts as an event of its chain, since it may ask for others."""
    cause = decode_cause(task.cause)
    return cause._replace(depth=cause.depth + 1)


def _root_of(task: Task, cause: Cause) -> str:
    """Name the chain of a task: by the event of the log that began it, or by one from outside, as keys do."""
    return "/".join(task.key.split("/", 2)[:2]) if cause.root is None else str(cause.root)


def _returned(value: bytes) -> Mapping[str, Any]:
    """Decode what a script returned. Raises CannotBeDone for what is JSON to the script, and to nobody else here."""
    try:
        returned: Mapping[str, Any] = decode(Json(value))
    except ValueError as exc:
        raise CannotBeDone(f"the script returned half of a surrogate pair, or values nested too deeply: {exc}") from exc
    return returned


def _shown(job: Job) -> Mapping[str, Any]:
    """Return a job as scripts see it."""
    return {
        "id": job.id,
        "clientId": job.client_id,
        "workflow": job.workflow.name,
        "state": job.state,
        "tags": decode(job.tags),
        "status": decode(job.status),
        "definition": None if job.definition is None else decode(job.definition),
    }


def _move(cause: Cause, wanted: _Wanted, job: Job, state: str, context: Any) -> ChangeJob:
    """Return the report of the script. Raises CannotBeDone if ``state`` is none that it may move the job to."""
    if context is not None and not isinstance(context, dict):
        raise CannotBeDone("the script returned a payload that is no object, which a context must be")
    if not depth_within(context, DEEPEST):
        raise CannotBeDone(f"the script returned a payload that is nested more than {DEEPEST} levels deep")
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


def _plans(types: ActionTypes, wanted: _Wanted, actions: Sequence[Any], event: Event) -> Iterator[PlannedAction]:
    """Plan the actions that a script returned. Raises CannotBeDone for one that no rule could have."""
    for number, given in enumerate(actions, 1):
        kind = given.get("type") if isinstance(given, dict) else None
        parameters = given.get("params", {}) if isinstance(given, dict) else None
        if not isinstance(kind, str) or kind not in types or not isinstance(parameters, dict):
            raise CannotBeDone(f"action {number} that the script returned has no type that there is, or no params")
        yield planned(Action(f"{wanted.action}.{number}", types[kind], lambda _: {}), partial(dict, parameters), event)


def _event_of(wanted: _Wanted) -> Event:
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


def _failure(result: RunResult) -> Exception:
    """Return what is raised for a run that gave nothing.

    One for which there was no place is tried again as often as any task, and one whose process died a few times: the
    script may be what has it die. What else there is would be so each time, or was wanted from outside.
    """
    fault, reason = result.fault, f"{result.outcome}: the run ended"
    if fault is not None:
        place = "" if fault.place is None else f" (line {fault.place.line}, column {fault.place.column})"
        reason = f"{result.outcome}: {fault.message}{place}"
    if result.outcome in (Outcome.BUSY, Outcome.FAILED):
        return TryAgain(reason, is_doubtful=result.outcome is Outcome.FAILED)
    return CannotBeDone(reason)
