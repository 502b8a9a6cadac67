"""Tokens of tasks, each time that one is run: those for the client and the workflow of its event among them."""

from __future__ import annotations

from collections.abc import Callable

from wfx.domain.timestamp import Timestamp
from wfx.limits.asks import LimitScope, Shortage
from wfx.limits.policy import Kind
from wfx.reactions.tokens import Token, token_to_run
from wfx.reactions.waiting_lines import TokenLines
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
        self._lines = TokenLines(limits, now)

    async def wait(self, task: Task) -> float:
        """Take the tokens for an attempt and return 0, or in how many seconds to ask again. Raises NotYet."""
        if not self._limits.is_set(Kind.JOB_EXECUTE):
            return 0.0
        token = token_to_run(input_of(task))
        if task.key not in self._lines and (scope := self._lines.ahead(token)) is not None:
            raise self._not_yet(task.key, token, Shortage(0, scope))
        lack = await self._lines.take(token)
        if lack is None:
            self._lines.leave(task.key)
            return 0.0
        if lack.scope is not LimitScope.GLOBAL:
            raise self._not_yet(task.key, token, lack)
        return lack.milliseconds / 1000

    def forget(self) -> None:
        """Know nothing of who waits for how long: the limits have changed."""
        self._lines.forget()

    def _not_yet(self, key: str, token: Token, lack: Shortage) -> NotYet:
        """Have a task wait in line; return when it is its turn, as an exception."""
        return NotYet(self._lines.join(key, token, lack), f"waits for the limit {token.kind} ({lack.scope})")
