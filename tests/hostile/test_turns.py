"""Large bodies are worked on one at a time."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from rawhttp import Wire

from wfx.api.turns import Turns
from wfx.demo.local import LocalService

AT_ONCE = 8
BODY = b'{"clientId":"c","workflow":"none","definition":{"a":[' + b"[]," * 500_000 + b"0]}}"
"""What takes most memory in proportion to its size: empty lists."""
REQUEST = (
    b"POST /api/wfx/v1/jobs HTTP/1.1\r\nHost: wfx.test\r\nConnection: close\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY
)


def post(port: int) -> None:
    """Try to create a job."""
    with Wire(port, timeout=60) as wire:
        wire.send(REQUEST)
        assert wire.answer().status == 400


def post_and_leave(port: int) -> None:
    """Try to create a job, and do not wait for the answer."""
    with Wire(port) as wire:
        wire.send(REQUEST)


def peak(service: LocalService) -> int:
    """Kilobytes of memory that the service has had at most."""
    assert service.process is not None
    status = Path(f"/proc/{service.process.pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:"))


@pytest.mark.parametrize("ask", [post, post_and_leave])
def test_memory_of_one(tmp_path: Path, ask: Callable[[int], None]) -> None:
    """Row 42: many large bodies at once take little more memory than one, also if their senders do not wait."""
    with LocalService(tmp_path) as service, ThreadPoolExecutor(AT_ONCE) as pool:
        port, before = service.ports["north"], peak(service)
        post(port)
        one = peak(service) - before
        list(pool.map(ask, [port] * AT_ONCE))
        post(port)
        assert peak(service) - before < 2 * one


def test_order_of_arrival() -> None:
    """Whoever came first has the first turn, and a turn that is given up is the next one's."""
    order = []

    async def take(turns: Turns, name: int) -> None:
        async with turns.turn():
            order.append(name)
            await asyncio.sleep(0)

    async def take_all() -> None:
        turns = Turns()
        tasks = [asyncio.create_task(take(turns, name)) for name in range(4)]
        await asyncio.sleep(0)
        tasks[1].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(take_all())
    assert order == [0, 2, 3]


def test_the_collector_rests() -> None:
    """During a turn the collector of cycles is off, and on again afterwards, however the turn ended."""
    seen = []

    async def fail() -> None:
        async with Turns().turn():
            seen.append(gc.isenabled())
            raise RuntimeError

    with pytest.raises(RuntimeError):
        asyncio.run(fail())
    assert seen == [False]
    assert gc.isenabled()
