from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psutil
import pytest

from tests.waiting import until
from wfx.sandbox.errors import Limit, LimitReached, Unavailable
from wfx.sandbox.fair_queue import FairQueue
from wfx.sandbox.frames import Frame
from wfx.sandbox.pool import Pool
from wfx.sandbox.process import WorkerLimits, WorkerProgram, WorkerRequest

MIB = 1 << 20
TENANT = WorkerProgram("tests.sandbox.tenant", ("tests",))
LATE = 60.0
"""Seconds: only guards against hanging."""


def request(kind: bytes, head: bytes = b"", *body: bytes) -> WorkerRequest:
    """Ask the tenant for something."""
    return WorkerRequest(kind, head, body, sum(map(len, body)))


@asynccontextmanager
async def opened(
    at_once: int = 1, deadline: float = LATE, patience: float = LATE
) -> AsyncIterator[tuple[Pool, FairQueue]]:
    """A pool, which is closed in the end."""
    queue = FairQueue(at_once, MIB)
    limits = WorkerLimits(memory=1 << 30, output=10 * MIB)
    pool = Pool(TENANT, limits, queue, deadline=lambda _: deadline, patience=patience)
    try:
        yield pool, queue
    finally:
        await pool.close()
        assert workers() == []


def workers() -> list[psutil.Process]:
    """The worker processes that there are."""
    return [child for child in psutil.Process().children() if TENANT.module in child.cmdline()]


async def test_an_answer() -> None:
    """What is sent in pieces arrives as a whole, and what is answered comes back, however large."""
    async with opened() as (pool, _):
        body = [bytes([number]) * MIB for number in range(9)]
        assert await pool.ask(request(b"e", b"head", *body), "a") == Frame(b"E", b"head", b"".join(body))
        assert await pool.ask(request(b"e"), "a") == Frame(b"E")


async def test_workers_start_when_needed_and_stay() -> None:
    """No process runs before the first request; then the same one serves all that come one after the other."""
    async with opened(at_once=3) as (pool, _):
        assert workers() == []
        served = {(await pool.ask(request(b"p"), "a")).head for _ in range(5)}
        assert served == {str(workers()[0].pid).encode()}


async def test_requests_at_once_share_the_workers() -> None:
    """Twenty requests at once are all answered, by no more processes than allowed."""
    async with opened(at_once=2) as (pool, _):
        answers = await asyncio.gather(*(pool.ask(request(b"p"), str(number)) for number in range(20)))
        assert {int(answer.head) for answer in answers} <= {worker.pid for worker in workers()}
        assert len(workers()) <= 2


@pytest.mark.parametrize(
    ("asked", "limit", "deadline"),
    [
        (request(b"s"), Limit.TIME, 0.2),
        (request(b"m"), Limit.MEMORY, LATE),
        *(
            (request(b"x", b"%d" % number), Limit.MEMORY, LATE)
            for number in (signal.SIGABRT, signal.SIGSEGV, signal.SIGBUS, signal.SIGKILL)
        ),
        (request(b"o", b"%d" % (10 * MIB + 1)), Limit.OUTPUT, LATE),
    ],
)
async def test_limits(asked: WorkerRequest, limit: Limit, deadline: float) -> None:
    """Work that runs into a limit is ended together with its process, and the next request gets another one."""
    async with opened(deadline=deadline) as (pool, _):
        with pytest.raises(LimitReached) as caught:
            await pool.ask(asked, "a")
        assert caught.value.which == limit
        assert workers() == []
    async with opened() as (pool, _):
        assert (await pool.ask(request(b"p"), "a")).kind == b"P"


async def test_the_longest_answer() -> None:
    """An answer of as many bytes as allowed, its head included, is taken; its process goes on."""
    async with opened() as (pool, _):
        for head in (b"", b"head"):
            body = bytes(10 * MIB - len(head))
            assert await pool.ask(request(b"e", head, body), "a") == Frame(b"E", head, body)
        assert len(workers()) == 1
        with pytest.raises(LimitReached):
            await pool.ask(request(b"e", b"head", bytes(10 * MIB - 3)), "a")


@pytest.mark.parametrize("number", [signal.SIGALRM, signal.SIGXCPU])
async def test_a_worker_that_its_timers_end(number: int) -> None:
    """A worker that is ended by a timer of its own has run into the limit of time."""
    async with opened() as (pool, _):
        with pytest.raises(LimitReached) as caught:
            await pool.ask(request(b"x", b"%d" % number), "a")
        assert caught.value.which is Limit.TIME


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1])
async def test_another_signal(number: int, caplog: pytest.LogCaptureFixture) -> None:
    """A worker that ends by a signal that is no sign of too little memory is an error that tells its status."""
    async with opened() as (pool, _):
        with caplog.at_level(logging.ERROR), pytest.raises(Unavailable, match=f"ended with status -{number:d}"):
            await pool.ask(request(b"x", b"%d" % number), "a")
        assert f"ended with status -{number:d}" in caplog.text
        assert (await pool.ask(request(b"e"), "a")).kind == b"E"


async def test_a_failure(caplog: pytest.LogCaptureFixture) -> None:
    """An exception in a worker is logged with its place, and without its message, which may repeat what was sent."""
    async with opened() as (pool, _):
        with caplog.at_level(logging.ERROR), pytest.raises(Unavailable, match="failed"):
            await pool.ask(request(b"r", b"", b"a-secret"), "a")
        assert "ValueError in " in caplog.text
        assert "answer (" in caplog.text
        assert "a-secret" not in caplog.text
        assert (await pool.ask(request(b"e"), "a")).kind == b"E"


async def test_a_worker_that_ends(caplog: pytest.LogCaptureFixture) -> None:
    """A worker that ends by itself is logged with its status; the next request is served by another."""
    async with opened() as (pool, _):
        with caplog.at_level(logging.ERROR), pytest.raises(Unavailable, match="status 3"):
            await pool.ask(request(b"q"), "a")
        assert "ended with status 3" in caplog.text
        assert (await pool.ask(request(b"e"), "a")).kind == b"E"


async def test_a_worker_that_is_killed_at_rest() -> None:
    """A worker that is gone when it is needed is replaced, and nobody notices."""
    async with opened() as (pool, _):
        first = await pool.ask(request(b"p"), "a")
        workers()[0].kill()
        await until(lambda: not pool._workers._idle[0].running)
        assert (await pool.ask(request(b"p"), "a")).head != first.head


async def test_a_worker_that_has_grown() -> None:
    """A worker that holds on to much memory after an answer is not used again."""
    async with opened() as (pool, _):
        first = (await pool.ask(request(b"p"), "a")).head
        assert (await pool.ask(request(b"g"), "a")).kind == b"."
        assert (await pool.ask(request(b"p"), "a")).head != first


async def test_who_leaves_frees_the_turn_once_its_process_is_gone() -> None:
    """A request that is cancelled ends at once; its turn is free only when the process that worked for it is gone."""
    async with opened() as (pool, queue):
        asked = asyncio.create_task(pool.ask(request(b"s"), "a"))
        await until(workers)
        process = workers()[0]
        waiting = asyncio.create_task(pool.ask(request(b"p"), "b"))
        await until(lambda: queue.waiting == 1)
        asked.cancel()
        await asyncio.wait([asked])
        assert asked.cancelled()
        while queue.waiting:
            assert queue.running == 1
            await asyncio.sleep(0)
        assert not process.is_running()
        assert int((await waiting).head) != process.pid


async def test_who_leaves_while_waiting_disturbs_nobody() -> None:
    """A request that is cancelled before its turn leaves the one that works alone."""
    async with opened() as (pool, queue):
        asked = asyncio.create_task(pool.ask(request(b"p"), "a"))
        waiting = [asyncio.create_task(pool.ask(request(b"s"), "b")) for _ in range(3)]
        await until(lambda: queue.waiting == 3)
        for task in waiting:
            task.cancel()
        assert (await asked).kind == b"P"
        await until(lambda: queue.running == queue.waiting == 0)


async def test_who_waits_too_long_is_refused() -> None:
    """A request whose turn does not come in time is refused, and the one that works goes on."""
    async with opened(patience=0.05) as (pool, queue):
        endless = asyncio.create_task(pool.ask(request(b"s"), "a"))
        await until(lambda: queue.running == 1)
        with pytest.raises(Unavailable, match="others had their turn"):
            await pool.ask(request(b"e"), "b")
        assert not endless.done()
        endless.cancel()


async def test_closing() -> None:
    """When the service stops, what works and what waits is refused, and no process is left."""
    async with opened() as (pool, queue):
        asked = [asyncio.create_task(pool.ask(request(b"s"), "a")) for _ in range(3)]
        await until(lambda: queue.waiting == 2)
        await until(workers)
        await pool.close()
        outcomes = await asyncio.gather(*asked, return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [Unavailable] * 3
        assert workers() == []
        with pytest.raises(Unavailable, match="stopping"):
            await pool.ask(request(b"e"), "a")


async def test_a_program_that_does_not_start() -> None:
    """A worker that ends before it is ready is an error of that request, and of no other."""
    pool = Pool(
        WorkerProgram("tests.sandbox.nothing", ("tests",)),
        WorkerLimits(1 << 30, MIB),
        FairQueue(1, MIB),
        deadline=lambda _: LATE,
        patience=LATE,
    )
    for _ in range(2):
        with pytest.raises(Unavailable, match=r"did not start \(status 1\)"):
            await pool.ask(request(b"e"), "a")
    await pool.close()


async def test_a_program_that_speaks_first() -> None:
    """A worker that says anything before it says that it is ready is not asked, since its answers could be others'."""
    pool = Pool(
        WorkerProgram("tests.sandbox.loud_tenant", ("tests",)),
        WorkerLimits(1 << 30, MIB),
        FairQueue(1, MIB),
        deadline=lambda _: LATE,
        patience=LATE,
    )
    with pytest.raises(Unavailable, match="did not start"):
        await pool.ask(request(b"e"), "a")
    await pool.close()
