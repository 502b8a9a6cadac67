"""Action that waits for a token, as a task: all that it takes to do it later, and the attempt to do so.

What it counts for in its chain was counted when it became a task, in the same transaction, and so were the numbers that
its parameters have drawn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple, Protocol

from wfx.domain.errors import WfxError
from wfx.domain.job import Job
from wfx.domain.json import decode, encode
from wfx.domain.numbers import encode_free_form
from wfx.domain.timestamp import Timestamp
from wfx.limits.asks import LimitScope
from wfx.limits.policy import Kind
from wfx.reactions.effect_parts import ActionOrigin, EffectPart, part_of, require_storable
from wfx.reactions.effects import Promise
from wfx.reactions.tokens import Owner, Token
from wfx.rules.action_types import effect_of
from wfx.service.bounded_counts import BoundedCounts
from wfx.store.rule_records import NewTask, RuleRecords, Task
from wfx.store.upkeep import present
from wfx.tasks.performing import CannotBeDone, Ending, NotYet

KIND = "rule_action"
"""Of the tasks."""
_SUFFIX = "/waiting"
"""What its key has behind that of the action, which may become a task itself."""


class _Waiting(NamedTuple):
    """What a task says."""

    token: Token
    effect: str
    parameters: Mapping[str, Any]
    origin: ActionOrigin
    message: str

    @classmethod
    def of(cls, task: Task) -> _Waiting:
        given: Mapping[str, Any] = decode(task.input)
        kind, client_id, workflow = given["token"]
        owner = Owner(client_id, workflow)  # of whatever becomes a task
        origin = ActionOrigin(task.key.removesuffix(_SUFFIX), given["rule"], given["action"], task.cause, owner)
        token = Token(Kind(kind), *owner)
        return cls(token, given["effect"], given["parameters"], origin, given["message"])


def waiting_task(promise: Promise, due: Timestamp) -> NewTask:
    """Return the task that an action becomes. Raises ValueError and others for what cannot be written."""
    token, origin, planned = promise
    effect = effect_of(planned.action.type)
    document = {
        "rule": origin.rule,
        "action": origin.action,
        "token": list(token),
        "effect": effect,
        "parameters": dict(planned.parameters),
        "message": planned.message,
    }
    write = encode_free_form if effect == "create_job" else encode  # as the definition of a job is written
    task = NewTask(origin.key + _SUFFIX, KIND, write(document), due, origin.cause)
    require_storable(RuleRecords(tasks=(task,)))
    return task


class Tokens(Protocol):
    """Gives tokens to actions that wait."""

    async def again(self, key: str, token: Token) -> tuple[Timestamp, LimitScope] | None:
        """Take the token; else return when to try again, and who shares what is lacking."""

    def note_begun(self, key: str) -> None:
        """Note that the action was done, and its token is used."""


class WaitingActions:
    """Does what such tasks are about once there is a token."""

    def __init__(self, tokens: Tokens, created: BoundedCounts) -> None:
        """Ask there for tokens; count the jobs that are created by their workflow."""
        self._tokens = tokens
        self._created = created

    async def perform(self, task: Task) -> Ending:
        """Take the token of an action, and return what it does in the store. Raises as Perform says."""
        waiting = _Waiting.of(task)
        if (lack := await self._tokens.again(task.key, waiting.token)) is not None:
            due, scope = lack
            raise NotYet(due, f"waits for the limit {waiting.token.kind} ({scope})")
        try:
            part = part_of(waiting.effect, waiting.parameters, waiting.origin, present())
        except (ValueError, TypeError, OverflowError, RecursionError, WfxError) as exc:
            raise CannotBeDone(str(exc) or type(exc).__name__) from exc
        operations = [] if part.operation is None else [part.operation]
        records = RuleRecords(() if part.task is None else (part.task,))
        return Ending(operations, records, partial(_tell, waiting, part), partial(self._note, task.key))

    def _note(self, key: str, answers: Sequence[Any]) -> None:
        self._tokens.note_begun(key)
        for answer in answers:
            if isinstance(answer, Job):
                self._created.note(answer.workflow.name)


def _tell(waiting: _Waiting, part: EffectPart, answers: Sequence[Any]) -> str:
    """Say what was done. Raises CannotBeDone if the store refused it."""
    if answers and isinstance(answers[0], BaseException):
        raise CannotBeDone(str(answers[0]) or type(answers[0]).__name__)
    return waiting.message if part.task is None else f"queued as task {part.task.key}"
