"""Who gets a worker when, told without any: turns are taken and given back by hand, and time passes by hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.clock import Clock
from tests.waiting import until
from wfx.filtering.errors import FilterUnavailable
from wfx.filtering.shares import HALF_LIFE_SECONDS, QUEUE, REMEMBERED, SLOW_FOR_SECONDS, SLOW_SECONDS, Shares, Turn

LONG = 60.0
"""Seconds of patience, where it does not matter."""


class Client:
    """One who asks for a turn and gives it back when it is told to."""

    def __init__(self, shares: Shares, address: str, patience: float = LONG) -> None:
        """Ask now."""
        self._shares = shares
        self.address = address
        self._over = asyncio.Event()
        self.turn: Turn | None = None
        self.stopped = 0
        self.task = asyncio.create_task(self._have(address, patience))

    async def _have(self, address: str, patience: float) -> None:
        async with self._shares.turn(address, patience) as turn:
            self.turn = turn
            self._shares.begin(turn, self._stop)
            await self._over.wait()

    def _stop(self) -> None:
        self.stopped += 1

    @property
    def running(self) -> bool:
        """Whether it has its turn."""
        return self.turn is not None and not self.task.done()

    async def end(self, took: float | None = 0.001, *, typical: bool = True) -> None:
        """Give the turn back after so much work; None if it did not come to an end."""
        assert self.turn is not None
        self.turn.took, self.turn.typical = took, typical
        self._over.set()
        await self.task
        await settled()


async def settled() -> None:
    """Let everything that can go on do so."""
    for _ in range(10):
        await asyncio.sleep(0)


@pytest.fixture
def clock() -> Clock:
    """A clock for one test."""
    return Clock()


@asynccontextmanager
async def asking(shares: Shares, *addresses: str) -> AsyncIterator[list[Client]]:
    """Let clients ask one after the other; whoever still has or awaits a turn in the end is cancelled."""
    clients = [Client(shares, address) for address in addresses]
    await settled()
    try:
        yield clients
    finally:
        for client in clients:
            client.task.cancel()
        await asyncio.gather(*(client.task for client in clients), return_exceptions=True)


def running(clients: list[Client]) -> list[str]:
    """The addresses of those that have their turn."""
    return [client.address for client in clients if client.running]


async def make(shares: Shares, clock: Clock, address: str, seconds: float) -> None:
    """Let a client have run one program of that length."""
    async with asking(shares, address) as (client,):
        clock.now += seconds
        await client.end(seconds)


async def test_as_many_run_as_there_are_workers(clock: Clock) -> None:
    """All workers are given out, also to one client; the next who waits gets what becomes free, in order."""
    async with asking(Shares(2, clock), "a", "a", "a", "a") as clients:
        assert [client.running for client in clients] == [True, True, False, False]
        await clients[1].end()
        assert [client.running for client in clients] == [True, False, True, False]


async def test_who_has_used_least_goes_first(clock: Clock) -> None:
    """Of those that wait the one goes first whose client has had least, however long others wait already."""
    shares = Shares(1, clock)
    await make(shares, clock, "much", 0.2)
    await make(shares, clock, "little", 0.1)
    async with asking(shares, "any", "much", "much", "little") as (first, much, more, little):
        await first.end()
        assert running([much, more, little]) == ["little"]
        await little.end()
        assert much.running
        assert not more.running


async def test_what_was_used_is_forgotten(clock: Clock) -> None:
    """What a client used counts half after a while: whoever used less since then, but more in all, is behind."""
    shares = Shares(1, clock)
    for _ in range(3):
        await make(shares, clock, "formerly", 0.1)
    clock.now += 2 * HALF_LIFE_SECONDS
    await make(shares, clock, "lately", 0.1)
    async with asking(shares, "any", "lately", "formerly") as (first, lately, formerly):
        await first.end()
        assert running([lately, formerly]) == ["formerly"]


async def test_who_is_known_to_be_quick_goes_before_who_is_not_known(clock: Clock) -> None:
    """A client of which nothing is known is expected to need much; that a program compiles tells nothing."""
    shares = Shares(1, clock)
    await make(shares, clock, "known", 0.2)
    async with asking(shares, "checked") as (checked,):
        await checked.end(0.001, typical=False)
    async with asking(shares, "any", "checked", "new", "known") as (first, checked, new, known):
        await first.end()
        assert running([checked, new, known]) == ["known"]


async def test_slow_clients_never_have_the_last_worker(clock: Clock) -> None:
    """Clients with a long program behind them have all workers but one together, one of two and two of three."""
    for workers in (2, 3):
        shares = Shares(workers, clock)
        for name in "abc":
            await make(shares, clock, name, SLOW_SECONDS + 0.01)
        async with asking(shares, "a", "b", "c", "c", "quick") as clients:
            assert running(clients) == [*"abc"[: workers - 1], "quick"]
            await clients[-1].end()
            assert running(clients) == [*"abc"[: workers - 1]]
            await clients[0].end()
            assert running(clients) == [*"abc"[1:workers]]


async def test_with_one_worker_slow_clients_have_it(clock: Clock) -> None:
    """Where there is but one worker, slow clients get it as well."""
    shares = Shares(1, clock)
    await make(shares, clock, "slow", 1)
    async with asking(shares, "slow", "quick") as (slow, quick):
        assert slow.running
        clock.now += 100
        await asyncio.sleep(0.2)
        assert slow.stopped == 0
        await slow.end()
        assert quick.running


@pytest.mark.parametrize(
    ("took", "passed", "slow"),
    [
        (SLOW_SECONDS, 0.1, False),
        (SLOW_SECONDS + 0.01, 0.1, True),
        (None, 0.1, True),
        (0.1, SLOW_SECONDS + 10, False),
    ],
)
async def test_what_makes_a_client_slow(clock: Clock, took: float | None, passed: float, *, slow: bool) -> None:
    """Much processor time does, or that a worker had to be ended; but not that the machine was busy otherwise."""
    shares = Shares(2, clock)
    async with asking(shares, "a") as (client,):
        clock.now += passed
        await client.end(took)
    async with asking(shares, "a", "a") as clients:
        assert running(clients) == ["a"] if slow else ["a", "a"]


async def test_a_client_is_slow_for_a_while_only(clock: Clock) -> None:
    """Some minutes after its last long program a client is as any other."""
    shares = Shares(2, clock)
    await make(shares, clock, "a", 1)
    clock.now += SLOW_FOR_SECONDS - 0.1
    async with asking(shares, "a", "a") as clients:
        assert running(clients) == ["a"]
        clock.now += 0.2
        await clients[0].end()
        assert running(clients) == ["a"]
        await clients[1].end()
    async with asking(shares, "a", "a") as clients:
        assert running(clients) == ["a", "a"]


async def test_a_worker_is_taken_back_when_slow_programs_have_all(clock: Clock) -> None:
    """While another waits, one of the programs that turned out to be slow is ended: the one that began last, once."""
    async with asking(Shares(2, clock), "a") as (first,):
        clock.now += 0.01
        async with asking(first._shares, "b", "c") as (second, other):
            clock.now += SLOW_SECONDS - 0.005
            await asyncio.sleep(0.2)
            assert (first.stopped, second.stopped) == (0, 0)
            clock.now += 0.02
            await until(lambda: second.stopped > 0)
            clock.now += 10
            await asyncio.sleep(0.2)
            assert (first.stopped, second.stopped) == (0, 1)
            assert second.turn is not None
            assert second.turn.revoked
            await second.end(None)
            assert other.running
            async with asking(first._shares, "b") as (again,):
                await other.end()
                assert not again.running
                await first.end(None)
                assert again.running


async def test_no_worker_is_taken_back_for_a_slow_client(clock: Clock) -> None:
    """Programs may run long as long as only slow clients wait."""
    shares = Shares(2, clock)
    await make(shares, clock, "slow", 1)
    async with asking(shares, "a", "b", "slow") as clients:
        clock.now += 10
        await asyncio.sleep(0.2)
        assert [client.stopped for client in clients] == [0, 0, 0]


async def test_the_queue_is_bounded(clock: Clock) -> None:
    """Beyond so many that wait the next is refused at once, if its client has as many as any other."""
    async with asking(Shares(1, clock), *["a"] * (QUEUE + 1)) as clients:
        assert not any(client.task.done() for client in clients)
        async with asking(clients[0]._shares, "a") as (more,):
            assert more.task.done()
            assert isinstance(error := more.task.exception(), FilterUnavailable)
            assert str(error) == "Already 64 response filters are waiting to be run; try again later"
        await clients[0].end()
        async with asking(clients[0]._shares, "a") as (more,):
            assert not more.task.done()


async def test_the_queue_has_room_for_everybody(clock: Clock) -> None:
    """When the queue is full, the last of whoever has most makes room for one who has less, until all have alike."""
    shares = Shares(1, clock)
    async with asking(shares, *["a"] * (QUEUE + 1)) as many, asking(shares, *["b"] * QUEUE) as others:
        waiting = [client.address for client in (*many[1:], *others) if not client.task.done()]
        assert waiting == ["a"] * (QUEUE // 2) + ["b"] * (QUEUE // 2)
        assert not any(client.task.done() for client in many[: QUEUE // 2 + 1])
        assert {str(client.task.exception()) for client in (*many, *others) if client.task.done()} == {
            "Already 64 response filters are waiting to be run; try again later"
        }
        async with asking(shares, "c") as (third,):
            assert not third.task.done()
            assert sum(not client.task.done() for client in others) == QUEUE // 2 - 1
            async with asking(shares, "b") as (again,):
                assert isinstance(again.task.exception(), FilterUnavailable), "it would have as many as the other"
            assert sum(not client.task.done() for client in many[1:]) == QUEUE // 2


async def test_waiting_has_an_end(clock: Clock) -> None:
    """Whoever waits too long is told that others were busy, and leaves nothing behind."""
    async with asking(Shares(1, clock), "a") as (first,):
        with pytest.raises(FilterUnavailable, match="kept all workers busy"):
            await Client(first._shares, "b", patience=0.01).task
        with pytest.raises(FilterUnavailable, match="kept all workers busy"):
            await Client(first._shares, "b", patience=-1).task
        await first.end()
        assert not first._shares._waiting
        assert all(not client.running and not client.waiting for client in first._shares._clients.values())


async def test_who_goes_away_takes_no_turn(clock: Clock) -> None:
    """A turn that is granted in the moment in which its client goes away, goes to the next one."""
    async with asking(Shares(1, clock), "a", "b", "c") as (first, second, third):
        second.task.cancel()
        await first.end()
        assert third.running
    async with asking(Shares(1, clock), "a", "b", "c") as (first, second, third):
        ending = asyncio.create_task(first.end())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        second.task.cancel()
        await ending
        assert third.running


async def test_closing_refuses_who_waits(clock: Clock) -> None:
    """At the end nobody gets a turn any more, and the end waits for those that have one."""
    shares = Shares(1, clock)
    async with asking(shares, "a", "b") as (first, second):
        closing = asyncio.create_task(shares.close())
        await settled()
        assert str(second.task.exception()) == "The server is stopping"
        assert not closing.done()
        await first.end()
        await closing
        with pytest.raises(FilterUnavailable, match="The server is stopping"):
            await Client(shares, "c").task


async def test_clients_are_forgotten(clock: Clock) -> None:
    """Only so many clients are remembered, the latest; and always those that run or wait."""
    shares = Shares(2, clock)
    await make(shares, clock, "early", 1)
    async with asking(shares, "runs", "waits", "waits") as clients:
        await clients[1].end()
        for number in range(REMEMBERED + 10):
            async with asking(shares, str(number)):
                pass
        assert {"runs", "waits"} <= shares._clients.keys()
        assert len(shares._clients) == REMEMBERED
    async with asking(shares, "early", "early") as again:
        assert running(again) == ["early", "early"]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("10.0.0.1", "10.0.0.2", False),
        ("10.0.0.1", "10.0.0.1", True),
        ("", "", True),
        ("2001:db8::1", "2001:db8:0:0:ffff::2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("fe80::1%eth0", "fe80::2%eth0", True),
        ("no:address", "no:other", False),
    ],
)
async def test_who_is_one_client(clock: Clock, one: str, other: str, *, same: bool) -> None:
    """A client is an IPv4 address, or an IPv6 network of 64 bits, within which anybody can choose an address."""
    shares = Shares(2, clock)
    await make(shares, clock, one, 1)
    async with asking(shares, other, other) as clients:
        assert running(clients) == [other] if same else [other, other]
