"""Tokens of limits, and the lines of those who lack one: who shares a bucket is tried in turn, one for each token.

They are what this process knows, to try no more often than is of use, and to have nobody overtake; the tasks themselves
are in the store. What other servers have done meanwhile leaves a line some time after it was due.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

from wfx.domain.timestamp import SECOND, Timestamp
from wfx.limits.asks import LimitScope, Shortage
from wfx.limits.policy import Kind
from wfx.reactions.tokens import Token
from wfx.service.limits import Limits
from wfx.store.upkeep import present

MOST = 100_000
"""Actions that are known; beyond it all are forgotten, and each is tried when it is due."""
_OVERDUE = 120 * SECOND
"""How long one that was due is still taken to wait."""


class Line(NamedTuple):
    """Names the bucket that is waited for."""

    kind: Kind
    scope: LimitScope
    sharer: str


def line_of(token: Token, scope: LimitScope) -> Line:
    """Return the line for a token that a bucket of this scope lacks."""
    return Line(token.kind, scope, token.sharer(scope))


class WaitingLines:
    """When each action that waits is to be tried, by its key, in the order in which they are to begin."""

    def __init__(self) -> None:
        """Know nobody."""
        self._lines = OrderedDict[Line, OrderedDict[str, Timestamp]]()
        """The one that was looked through longest ago is the first."""
        self._line_of: dict[str, Line] = {}

    def ahead(self, token: Token, now: Timestamp) -> LimitScope | None:
        """Return the scope of a bucket that others wait for who need the same; None if nobody does."""
        for scope in (LimitScope.CLIENT, LimitScope.WORKFLOW) if self._lines else ():
            if (line := line_of(token, scope)) in self._lines:
                self._forget_overdue(line, now)
                if line in self._lines:
                    return scope
        return None

    def put(self, key: str, line: Line, soonest: Timestamp, interval: float, now: Timestamp) -> Timestamp:
        """Have an action wait, or wait on, for a token that there is at the soonest then; return when to try again."""
        if len(self._line_of) >= MOST:
            self.clear()
        if self._line_of.get(key, line) != line:
            self.remove(key)
        waiting = self._lines.setdefault(line, OrderedDict())
        due = soonest
        if waiting and (first := next(iter(waiting))) != key:
            ahead = waiting[first] if key in waiting else waiting[next(reversed(waiting))]
            due = Timestamp(max(soonest, ahead + int(interval * SECOND)))
        waiting[key], self._line_of[key] = due, line
        self._look_through_one(now)
        return due

    def remove(self, key: str) -> None:
        """Have an action wait no more."""
        if (line := self._line_of.pop(key, None)) is None:
            return
        del self._lines[line][key]
        if not self._lines[line]:
            del self._lines[line]

    def __contains__(self, key: str) -> bool:
        """Tell whether an action waits."""
        return key in self._line_of

    def clear(self) -> None:
        """Know nobody any more."""
        self._lines.clear()
        self._line_of.clear()

    def _look_through_one(self, now: Timestamp) -> None:
        """Look through the next line, so that those that nobody joins any more are not kept for ever."""
        line = next(iter(self._lines))
        self._lines.move_to_end(line)
        self._forget_overdue(line, now)

    def _forget_overdue(self, line: Line, now: Timestamp) -> None:
        waiting = self._lines[line]
        while waiting and waiting[key := next(iter(waiting))] < now - _OVERDUE:
            self.remove(key)


class TokenLines:
    """Takes tokens of limits, and has who lacks one wait in line."""

    def __init__(self, limits: Limits, now: Callable[[], Timestamp] = present) -> None:
        """Take tokens of these limits; nobody waits yet."""
        self._limits = limits
        self._now = now
        self._lines = WaitingLines()

    def __contains__(self, key: str) -> bool:
        """Tell whether an action waits."""
        return key in self._lines

    def ahead(self, token: Token) -> LimitScope | None:
        """Return the scope of a bucket that others wait for who need the same; None if nobody does."""
        return self._lines.ahead(token, self._now())

    async def take(self, token: Token) -> Shortage | None:
        """Take a token; return what it lacks if there is none."""
        return await self._limits.shortage(token.kind, client_id=token.client_id, workflow=token.workflow)

    def join(self, key: str, token: Token, lack: Shortage) -> Timestamp:
        """Have an action wait, or wait on, for what it lacks; return when to try again."""
        now = self._now()
        soonest = Timestamp(now + lack.milliseconds * (SECOND // 1000))
        interval = self._limits.interval(token.kind, lack.scope)
        return self._lines.put(key, line_of(token, lack.scope), soonest, interval, now)

    def leave(self, key: str) -> None:
        """Have an action wait no more."""
        self._lines.remove(key)

    def forget(self) -> None:
        """Know nothing of who waits for how long: the limits have changed."""
        self._lines.clear()
