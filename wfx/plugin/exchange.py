"""Matches a plugin's answers with its requests, and limits how many are outstanding."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from wfx.plugin.errors import CookieError, PluginBusy, ReplyOverdue, Undecided
from wfx.plugin.message import Decision

MAX_OUTSTANDING = 1_024
"""Requests one plugin may have at a time."""
MAX_OVERDUE = 16_384
"""Requests whose answer is no longer waited for, but still forgiven when it comes."""
_COOKIES = 2**64


@dataclass(slots=True)
class _Waiting:
    answer: asyncio.Future[Decision | Undecided]
    deadline: asyncio.TimerHandle
    size: int


class Exchange:
    """The outstanding requests of one plugin, by cookie."""

    def __init__(self, *, reply_timeout: float, max_bytes: int) -> None:
        """Wait ``reply_timeout`` seconds for an answer; hold at most ``max_bytes`` of frames that wait for one."""
        self._loop = asyncio.get_running_loop()
        self.reply_timeout = reply_timeout
        """How long requests that are taken in from now on wait."""
        self._max_bytes = max_bytes
        self._bytes = 0
        self._last = 0
        self._waiting: dict[int, _Waiting] = {}
        self._overdue: dict[int, None] = {}

    @property
    def next_cookie(self) -> int:
        """The cookie that the next admitted request has."""
        return (self._last + 1) % _COOKIES

    def admit(self, size: int) -> asyncio.Future[Decision | Undecided]:
        """Take in a request of ``size`` bytes under ``next_cookie``; raise PluginBusy if there is no room for it.

        The future gives the decision, or says why there is none. A caller that gives up waiting leaves its place
        occupied until the plugin answers or the deadline passes: so callers that come and go cannot pile up work.
        """
        if len(self._waiting) >= MAX_OUTSTANDING or self._bytes + size > self._max_bytes:
            raise PluginBusy("has too many requests outstanding")
        self._last = cookie = self.next_cookie
        answer: asyncio.Future[Decision | Undecided] = self._loop.create_future()
        deadline = self._loop.call_later(self.reply_timeout, self._expire, cookie, self.reply_timeout)
        self._waiting[cookie] = _Waiting(answer, deadline, size)
        self._bytes += size
        return answer

    def settle(self, cookie: int, decision: Decision) -> None:
        """Hand a decision to whoever waits for it; one that is too late is dropped; an unknown one is a CookieError."""
        waiting = self._take(cookie)
        if waiting:
            if not waiting.answer.done():
                waiting.answer.set_result(decision)
        elif cookie in self._overdue:
            del self._overdue[cookie]
        else:
            raise CookieError(f"answered with cookie {cookie}, which is not outstanding")

    def fail_all(self, reason: Undecided) -> None:
        """Tell everybody who waits that no decision will come."""
        for cookie in list(self._waiting):
            self._fail(cookie, reason)

    def _expire(self, cookie: int, timeout: float) -> None:
        self._fail(cookie, ReplyOverdue(f"did not answer within {timeout:g} s"))
        self._overdue[cookie] = None
        if len(self._overdue) > MAX_OVERDUE:
            del self._overdue[next(iter(self._overdue))]

    def _fail(self, cookie: int, reason: Undecided) -> None:
        waiting = self._take(cookie)
        if waiting and not waiting.answer.done():
            waiting.answer.set_result(reason)

    def _take(self, cookie: int) -> _Waiting | None:
        waiting = self._waiting.pop(cookie, None)
        if waiting:
            waiting.deadline.cancel()
            self._bytes -= waiting.size
        return waiting
