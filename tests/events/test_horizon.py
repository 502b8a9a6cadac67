from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest

from tests.events.listlog import ListLog
from tests.events.opening import opened, settled
from tests.events.virtual_time import run
from wfx.domain.errors import BehindHorizon
from wfx.domain.job import Action
from wfx.events import log_window
from wfx.events.subscription import BOOKMARK_EVERY
from wfx.store.protocol import EVERYTHING, LogBounds


def test_reader_that_was_overtaken_by_pruning_is_at_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader so slow that the log was pruned beyond it is disconnected, and told the oldest event on its return."""
    monkeypatch.setattr(log_window, "MOST_EVENTS", 10)

    async def scenario() -> None:
        log = ListLog()
        async with opened(log) as (_, subscribe):
            slow, quick = await subscribe(since="0"), await subscribe(since="0")
            slow.pause()
            for _ in range(100):
                log.change()
                await settled()
            log.horizon = 50
            slow.go_on()
            await slow.end()
            assert len(quick.source.events) == 100
            with pytest.raises(BehindHorizon) as caught:
                await subscribe(since="0", last_event_id=slow.source.last_id)
            assert caught.value.oldest == 51

    run(scenario())


def test_reading_exactly_at_the_horizon() -> None:
    """Row 16: directly behind the horizon everything is delivered; one before it is refused; 0 always works."""

    async def scenario() -> None:
        log = ListLog()
        for _ in range(20):
            log.change()
        async with opened(log) as (_, subscribe):
            for horizon in range(21):
                log.horizon = horizon
                assert (await subscribe(since=str(horizon))).source.ids == [f"L-{seq}" for seq in range(horizon, 21)]
                assert (await subscribe(since="0")).source.ids == [f"L-{seq}" for seq in range(horizon, 21)]
                if horizon > 1:
                    with pytest.raises(BehindHorizon):
                        await subscribe(since=str(horizon - 1))

    run(scenario())


def test_pruning_between_asking_and_reading() -> None:
    """Row 16: a horizon that moves while a stream from the oldest event begins costs only the events that are gone."""

    async def scenario() -> None:
        class Racing(ListLog):
            async def read_log(self, after: int, limit: int, room: int = EVERYTHING):  # type: ignore[no-untyped-def]  # noqa: ANN202  # as its parent
                if self.reads == 0:
                    self.horizon = 5
                return await super().read_log(after, limit, room)

        log = Racing()
        for _ in range(10):
            log.change()
        async with opened(log) as (_, subscribe):
            reader = await subscribe(since="0")
            assert reader.source.ids == [f"L-{seq}" for seq in range(5, 11)]

    run(scenario())


def test_pruning_while_a_stream_begins_now() -> None:
    """Row 16: a stream from now on begins, however much is committed and pruned while it does."""

    async def scenario() -> None:
        class Overtaking(ListLog):
            overtakes = False

            async def log_bounds(self) -> LogBounds:
                bounds = await super().log_bounds()
                if self.overtakes:
                    self.overtakes = False
                    for _ in range(10):
                        self.change()
                    self.horizon = 8
                    await settled()
                return bounds

        log = Overtaking()
        async with opened(log) as (_, subscribe):
            log.overtakes = True
            reader = await subscribe(since="now")
            assert reader.source.ids == ["L-8", "L-9", "L-10"]

    run(scenario())


def test_bookmarks_keep_a_reader_inside_the_horizon() -> None:
    """A reader whom nothing concerns for an hour is told positions, so that it can always come back."""

    async def scenario() -> None:
        log = ListLog()
        async with opened(log) as (_, subscribe):
            reader = await subscribe(since="now", jobIds="nobody")
            for _ in range(120):
                for _ in range(100):
                    log.change()
                await asyncio.sleep(30)
                await log.prune_log(keep_newest=500, older_than=log.events[0].ctime, at_most=10_000)
                await (await subscribe(since="now", last_event_id=reader.source.last_id)).stop()
            assert reader.source.events == []
            assert len(reader.source.ids) <= 122
            assert log.reads == 0

    run(scenario())


@pytest.mark.parametrize("together", [1, 7])
def test_bookmarks_come_also_when_much_happens_in_a_short_time(together: int) -> None:
    """A reader is told its position after so many events that do not concern it, without waiting for a silence."""

    async def scenario() -> None:
        log = ListLog()
        async with opened(log) as (_, subscribe):
            live = await subscribe(since="now", jobIds="nobody")
            counting = await subscribe(jobIds="nobody")
            for _ in range(10 * BOOKMARK_EVERY // together):
                log.commit(*[("job", "client", "flow-a", Action.UPDATE_STATUS)] * together)
                if log.head % 50 == 0:
                    await asyncio.sleep(0)
            past = await subscribe(since="0", jobIds="nobody")
            for reader in (live, past):
                told = [int(number.removeprefix("L-")) for number in reader.source.ids]
                assert all(0 < later - earlier < 2 * BOOKMARK_EVERY for earlier, later in pairwise(told))
                assert told[-1] > 8 * BOOKMARK_EVERY
            assert counting.raw == b""

    run(scenario())


def test_silence_is_broken_once_an_interval() -> None:
    """The keep-alive comes when nothing was sent for its interval, not while events come."""

    async def scenario() -> None:
        log = ListLog()
        async with opened(log) as (_, subscribe):
            reader, never = await subscribe(keep_alive=10), await subscribe(keep_alive=0)
            for _ in range(10):
                await asyncio.sleep(9)
                log.change()
            assert reader.source.comments == 0
            await asyncio.sleep(35)
            assert reader.source.comments == 3
            assert never.source.comments == 0

    run(scenario())


def test_silence_of_a_filter_that_wants_other_actions() -> None:
    """Events that do not pass do not count as signs of life."""

    async def scenario() -> None:
        log = ListLog()
        async with opened(log) as (_, subscribe):
            reader = await subscribe(keep_alive=10, actions="DELETE")
            for _ in range(35):
                log.change()
                await asyncio.sleep(1)
            assert reader.raw == b": keepalive\n\n" * 3

    run(scenario())
