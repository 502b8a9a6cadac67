"""Admission of what was promised: takes the tokens that an action needs, has it wait as a task, or holds up who asks.

An action that lacks a token of one client or workflow waits as a task, so that others go on. Where a token of all is
lacking, nobody could go on: whoever asks waits, and what is behind it in its queue waits, too.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from wfx.domain.errors import TooManyStarted
from wfx.domain.timestamp import Timestamp
from wfx.limits.asks import LimitScope, Shortage
from wfx.limits.policy import Kind
from wfx.reactions.effects import Effects, Outcome, Promise
from wfx.reactions.tokens import Token
from wfx.reactions.unused_tokens import UnusedTokens
from wfx.reactions.waiting_action import KIND, waiting_task
from wfx.reactions.waiting_lines import TokenLines
from wfx.service.limits import Limits
from wfx.store.rule_protocol import RuleStore
from wfx.store.upkeep import present

MOST = 10_000
"""Actions that wait as tasks."""
_KINDS = (Kind.INSTANCE_START, Kind.JOB_SCHEDULE)
"""What actions need tokens of."""
_LONGEST_SLEEP = 5.0
"""Seconds until promised work looks for tokens again: the limits may have changed."""
_FULL_SLEEP = 1.0
"""Seconds until it is looked again whether one more may wait as a task."""
_LONG = 10.0
"""Seconds of waiting for a limit that operators are told of."""
_logger = logging.getLogger("wfx")
Pause = Callable[[float], Awaitable[object]]
"""Waits for some seconds. Raises what ends the waiting."""


class Admission:
    """Asks for the tokens of actions; one for all who carry out what rules want."""

    def __init__(self, store: RuleStore, limits: Limits, now: Callable[[], Timestamp] = present) -> None:
        """Take tokens of these limits; the store counts the actions that wait."""
        self._store = store
        self._limits = limits
        self._now = now
        self._lines = TokenLines(limits, now)
        self._unused = UnusedTokens(limits)
        self._open = MOST
        """Actions that wait, as far as that is known."""

    @property
    def is_asked(self) -> bool:
        """Whether there are limits that actions may lack a token of."""
        return any(map(self._limits.is_set, _KINDS))

    def needed(self, effects: Effects) -> list[tuple[int, Promise]]:
        """Return the actions that need a token, with their places; none where there are no limits."""
        if not self.is_asked:
            return []
        return [(place, each) for place, each in effects.promises if self._limits.is_set(each.token.kind)]

    async def require(self, effects: Effects) -> None:
        """Take the tokens for what a caller starts, or none. Raises TooManyStarted."""
        for _, promise in self.needed(effects):
            if (lack := await self._unused.take(promise.origin.key, promise.token)) is not None:
                await self.note_undone(effects)
                raise TooManyStarted(promise.token.kind, lack.scope, lack.milliseconds / 1000)

    async def admit(self, effects: Effects, pause: Pause) -> Effects:
        """Take the tokens for what was promised; return the effects with actions as tasks where these have to wait."""
        for place, promise in self.needed(effects):
            is_told = False
            while (lack := await self._lack(promise)) is not None:
                if lack.scope is not LimitScope.GLOBAL and await self._has_room():
                    effects = self._waiting(effects, place, promise, lack)
                    break
                is_full = lack.scope is not LimitScope.GLOBAL
                if (is_full or lack.milliseconds > _LONG * 1000) and not is_told:
                    self._tell(promise.token, lack)
                    is_told = True
                await pause(_FULL_SLEEP if is_full else min(lack.milliseconds / 1000, _LONGEST_SLEEP))
        return effects

    async def admit_at_once(self, effects: Effects) -> Effects:
        """Do the same without waiting: all that lack a token wait as tasks, and are refused if there are too many."""
        for place, promise in self.needed(effects):
            if (lack := await self._lack(promise)) is None:
                continue
            if await self._has_room():
                effects = self._waiting(effects, place, promise, lack)
            else:
                effects = effects.refused(place, Outcome.LIMITED, _too_many(promise.token))
        return effects

    async def again(self, key: str, token: Token) -> tuple[Timestamp, LimitScope] | None:
        """Take the token of an action that waits; else return when to try it again, and who shares what it lacks."""
        lack = await self._unused.take(key, token)
        if lack is None:
            self._lines.leave(key)
            return None
        return self._lines.join(key, token, lack), lack.scope

    def note_done(self, effects: Effects) -> None:
        """Note that effects were written: the tokens that were taken for them are used."""
        if self._unused:
            for _, promise in effects.promises:
                self._unused.use(promise.origin.key)

    def note_begun(self, key: str) -> None:
        """Note the same of an action that has waited."""
        self._unused.use(key)

    async def note_undone(self, effects: Effects) -> None:
        """Give back what was taken for effects that surely were not written, and will not be.

        This need not be said of what is tried once more, under the same keys.
        """
        for _, promise in effects.promises:
            await self._unused.give_back(promise.origin.key)

    def forget(self) -> None:
        """Know nothing of who waits for how long: the limits have changed."""
        self._lines.forget()

    async def _lack(self, promise: Promise) -> Shortage | None:
        """Take the token of an action; return what it lacks if there is none, or others wait for one like it."""
        scope = self._lines.ahead(promise.token)
        if scope is None:
            return await self._unused.take(promise.origin.key, promise.token)
        await self._unused.give_back(promise.origin.key)
        return Shortage(0, scope)

    def _waiting(self, effects: Effects, place: int, promise: Promise, lack: Shortage) -> Effects:
        """Return effects with a task in the place of an action; what cannot be written is refused."""
        try:
            task = waiting_task(promise, self._now())
        except (ValueError, TypeError, OverflowError, RecursionError) as exc:
            return effects.refused(place, Outcome.INVALID, f"it has to wait for a limit, and cannot be kept: {exc}")
        task = task._replace(due=self._lines.join(task.key, promise.token, lack))
        self._open += 1
        message = f"waits for the limit {promise.token.kind} ({lack.scope}) as task {task.key}"
        return effects.waiting(place, task, message)

    async def _has_room(self) -> bool:
        """Tell whether one more may wait as a task; counted anew before the answer is no."""
        if self._open >= MOST:
            self._open = (await self._store.count_open_tasks()).get(KIND, 0)
        return self._open < MOST

    def _tell(self, token: Token, lack: Shortage) -> None:
        whose = {"client_id": token.client_id, "workflow": token.workflow}
        reason = {} if lack.scope is LimitScope.GLOBAL else {"waiting": self._open}
        fields = {
            "limit": token.kind.value,
            "scope": str(lack.scope),
            "seconds": round(lack.milliseconds / 1000),
            **whose,
            **reason,
        }
        _logger.warning("rules wait for a limit, and do nothing until then", extra={"fields": fields})


def _too_many(token: Token) -> str:
    return f"the limit {token.kind} is used up, and {MOST:,} actions wait already"
