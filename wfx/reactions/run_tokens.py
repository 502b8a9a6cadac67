"""Tokens of tasks, each time that one is run: those for the client and the workflow of its event among them."""

from __future__ import annotations

from collections.abc import Callable

from wfx.domain.timestamp import SECOND, Timestamp
from wfx.limits.asks import LimitScope
from wfx.limits.policy import Kind
from wfx.reactions.tokens import Token, token_to_run
from wfx.reactions.waiting_lines import WaitingLines, line_of
from wfx.service.limits import Limits
from wfx.store.rule_records import Task
from wfx.store.upkeep import present
from wfx.tasks.performing import NotYet
from wfx.tasks.shown import input_of


class RunTokens:
    """Lets tasks run, or wait: all of them for a global limit, one alone for that of its client or workflow."""

    def __init__(self, limits: Limits, now: Callable[[], Timestamp] = present) -> None:
        """Take tokens of these limits."""
        self._limits = limits
        self._now = now
        self._lines = WaitingLines()

    async def wait(self, task: Task) -> float:
        """Take the tokens for an attempt and return 0, or in how many seconds to ask again. Raises NotYet."""
        if not self._limits.is_set(Kind.JOB_EXECUTE):
            return 0.0
        token = token_to_run(input_of(task))
        if task.key not in self._lines and (scope := self._lines.ahead(token, self._now())) is not None:
            raise self._not_yet(task, token, scope, 0.0)
        kind, client_id, workflow = token
        shortage = await self._limits.shortage(kind, client_id=client_id, workflow=workflow)
        if shortage is not None and shortage.scope is not LimitScope.GLOBAL:
            raise self._not_yet(task, token, shortage.scope, shortage.milliseconds / 1000)
        if shortage is not None:
            return shortage.milliseconds / 1000
        self._lines.remove(task.key)
        return 0.0

    def forget(self) -> None:
        """Know nothing of who waits for how long: the limits have changed."""
        self._lines.clear()

    def _not_yet(self, task: Task, token: Token, scope: LimitScope, seconds: float) -> NotYet:
        """Put a task in the line of its bucket; return when it is its turn, as an exception."""
        now = self._now()
        soonest = Timestamp(now + int(seconds * SECOND))
        interval = self._limits.interval(token.kind, scope)
        due = self._lines.put(task.key, line_of(token, scope), soonest, interval, now)
        return NotYet(due, f"waits for the limit {token.kind} ({scope})")
