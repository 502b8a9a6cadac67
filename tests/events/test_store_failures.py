from __future__ import annotations

import asyncio

import pytest

from tests.events.listlog import ListLog
from tests.events.opening import opened, settled
from tests.events.virtual_time import run
from wfx.domain.errors import NotOnThisLog
from wfx.events import log_window


def test_lost_connection_to_the_database_is_not_seen_by_readers() -> None:
    """What was committed while the log could not be followed arrives once it can be again, without a gap."""

    async def scenario() -> None:
        log = ListLog()
        async with opened(log) as (_, subscribe):
            reader, counting = await subscribe(since="0"), await subscribe(jobIds="b")
            log.change("a")
            await settled()
            log.unavailable = True
            log.lose_followers()
            await settled()
            for _ in range(600):
                log.change("b")
            await asyncio.sleep(5)
            assert len(reader.source.events) == 1
            log.unavailable = False
            await asyncio.sleep(5)
            log.change("b")
            await settled()
            assert reader.source.ids == [f"L-{seq}" for seq in range(602 + 1)]
            assert counting.source.ids == [str(number) for number in range(1, 602)]

    run(scenario())


def test_replaced_log_ends_the_streams() -> None:
    """When the database was replaced by another one, streams end, and their readers are told when they come back."""

    async def scenario() -> None:
        log = ListLog("first")
        async with opened(log) as (_, subscribe):
            reader = await subscribe(since="0")
            log.change()
            await settled()
            log.log_id = "second"
            log.events.clear()
            log.lose_followers()
            await reader.end()
            with pytest.raises(NotOnThisLog) as caught:
                await subscribe(since="0", last_event_id=reader.source.last_id)
            assert caught.value.log_id == "second"
            fresh = await subscribe(since="0")
            log.change("x")
            await settled()
            assert fresh.source.ids == ["second-0", "second-1"]

    run(scenario())


def test_following_that_was_away_beyond_the_horizon_ends_the_streams() -> None:
    """When events were pruned before the broker could read them, no stream goes on as if there had been none."""

    async def scenario() -> None:
        log = ListLog()
        async with opened(log) as (_, subscribe):
            reader = await subscribe(since="0")
            log.unavailable = True
            log.lose_followers()
            await settled()
            for _ in range(10):
                log.change()
            log.horizon = 5
            log.unavailable = False
            await reader.end()
            assert reader.source.events == []

    run(scenario())


def test_database_away_while_a_slow_reader_catches_up_ends_its_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream that cannot be continued ends, for its reader to come back with its last id."""
    monkeypatch.setattr(log_window, "MOST_EVENTS", 2)

    async def scenario() -> None:
        log = ListLog()
        async with opened(log) as (_, subscribe):
            reader = await subscribe(since="0")
            reader.pause()
            for _ in range(10):
                log.change()
                await settled()
            log.unavailable = True
            reader.go_on()
            await reader.end()
            log.unavailable = False
            again = await subscribe(reader.source, since="0", last_event_id=reader.source.last_id)
            assert again.source.ids[-1] == "L-10"
            assert len(again.source.events) == 10

    run(scenario())
