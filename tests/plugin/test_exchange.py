"""Cookies pair answers with requests, for ever and in bounded memory."""

from __future__ import annotations

import asyncio

import pytest

from wfx.plugin.errors import CookieError, PluginBusy, ReplyOverdue
from wfx.plugin.exchange import MAX_OUTSTANDING, MAX_OVERDUE, Exchange
from wfx.plugin.message import PASS


async def test_cookies_count_from_one() -> None:
    """The first cookie is 1, and each request has the next."""
    exchange = Exchange(reply_timeout=10, max_bytes=100)
    for expected in (1, 2, 3):
        assert exchange.next_cookie == expected
        exchange.admit(1)


async def test_cookies_wrap() -> None:
    """After 2⁶⁴ - 1 comes 0 (server section 11.4)."""
    exchange = Exchange(reply_timeout=10, max_bytes=100)
    exchange._last = 2**64 - 2
    last, first = exchange.admit(1), exchange.admit(1)
    exchange.settle(2**64 - 1, PASS)
    exchange.settle(0, PASS)
    assert (await last, await first) == (PASS, PASS)


async def test_a_second_answer_is_an_error() -> None:
    """A cookie is used up by its answer."""
    exchange = Exchange(reply_timeout=10, max_bytes=100)
    exchange.admit(1)
    exchange.settle(1, PASS)
    with pytest.raises(CookieError, match="cookie 1, which is not outstanding"):
        exchange.settle(1, PASS)


async def test_an_overdue_answer_is_forgiven_once() -> None:
    """An answer that comes too late is dropped; the same again is an error."""
    exchange = Exchange(reply_timeout=0, max_bytes=100)
    assert isinstance(await exchange.admit(1), ReplyOverdue)
    exchange.settle(1, PASS)
    with pytest.raises(CookieError):
        exchange.settle(1, PASS)


async def test_overdue_cookies_are_bounded() -> None:
    """A plugin that never answers does not fill the memory: the oldest cookies are forgotten."""
    exchange = Exchange(reply_timeout=0, max_bytes=100)
    for _ in range(MAX_OVERDUE // 64 + 1):
        await asyncio.gather(*(exchange.admit(1) for _ in range(64)))
    assert len(exchange._overdue) == MAX_OVERDUE
    assert 1 not in exchange._overdue
    assert exchange._bytes == 0


async def test_as_many_as_there_is_room_for() -> None:
    """Exactly the most outstanding requests are admitted, and what is settled has no deadline left."""
    exchange = Exchange(reply_timeout=0.0, max_bytes=1_000_000)
    answers = [exchange.admit(1) for _ in range(MAX_OUTSTANDING)]
    with pytest.raises(PluginBusy):
        exchange.admit(1)
    for cookie in range(1, MAX_OUTSTANDING + 1):
        exchange.settle(cookie, PASS)
    for _ in range(3):
        await asyncio.sleep(0)
    assert [answer.result() for answer in answers] == [PASS] * MAX_OUTSTANDING
    with pytest.raises(CookieError):  # it is not among those that came too late
        exchange.settle(1, PASS)


async def test_as_many_bytes_as_there_is_room_for() -> None:
    """Requests wait as long as they have no more bytes together than allowed; what is settled makes room."""
    exchange = Exchange(reply_timeout=10, max_bytes=100)
    first = exchange.admit(60)
    with pytest.raises(PluginBusy):
        exchange.admit(41)
    assert exchange.next_cookie == 2, "what is refused has none"
    exchange.admit(40)
    with pytest.raises(PluginBusy):
        exchange.admit(1)
    exchange.settle(1, PASS)
    assert first.result() == PASS
    exchange.admit(60)
    with pytest.raises(PluginBusy):
        exchange.admit(1)
    exchange.fail_all(PluginBusy("is gone"))
    exchange.admit(100)
    exchange.fail_all(PluginBusy("is gone"))
