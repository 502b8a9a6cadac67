from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

from tests.sandbox.test_pool import LATE, TENANT, opened, request, workers
from wfx.sandbox.errors import Unavailable
from wfx.sandbox.pool import Pool

ROOT = Path(__file__).parents[2]


@pytest.fixture
async def pool(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AsyncIterator[Pool]:
    """A pool with a worker at rest, of a process with a secret variable and an open, inheritable file."""
    monkeypatch.setenv("CANARY", "a-secret-of-the-server")
    with (tmp_path / "file").open("w") as file:
        os.set_inheritable(file.fileno(), True)
        async with opened() as (pool, _):
            await pool.ask(request(b"p"), "a")
            yield pool


@pytest.mark.usefixtures("pool")
def test_a_worker_has_nothing_of_the_service() -> None:
    """A worker has no environment and no files but its pipes, a null device and what tells its own size."""
    worker = workers()[0]
    assert worker.environ() == {}
    held = {entry.name: str(entry.readlink()) for entry in Path(f"/proc/{worker.pid}/fd").iterdir()}
    assert sorted(held) == ["0", "1", "2", "3"]
    assert (held["2"], held["3"]) == (os.devnull, f"/proc/{worker.pid}/statm")


@pytest.mark.usefixtures("pool")
def test_a_worker_is_confined() -> None:
    """The system refuses a worker files, core dumps and memory beyond the limit; it yields, and gains no rights."""
    worker = workers()[0]
    text = Path(f"/proc/{worker.pid}/limits").read_text()
    limits = {line[:25].strip(): line[25:].split()[:2] for line in text.splitlines()}
    for name in ("Max open files", "Max file size", "Max core file size"):
        assert limits[name] == ["0", "0"]
    assert limits["Max address space"] == [str(1 << 30)] * 2
    assert os.getpgid(worker.pid) == worker.pid
    assert worker.cwd() == "/"
    assert worker.nice() > psutil.Process().nice()
    assert "NoNewPrivs:\t1" in Path(f"/proc/{worker.pid}/status").read_text()
    assert int(Path(f"/proc/{worker.pid}/oom_score_adj").read_text()) > 0


async def test_a_worker_cannot_open_files(pool: Pool) -> None:
    """Opening any file fails."""
    with pytest.raises(Unavailable):
        await pool.ask(request(b"f"), "a")


_SERVER = """
import asyncio
from tests.sandbox.test_pool import opened, request

async def main():
    async with opened(at_once=2) as (pool, _):
        await asyncio.gather(pool.ask(request(b"p"), "a"), pool.ask(request(b"p"), "a"))
        print("ready", flush=True)
        await pool.ask(request(b"s"), "a")

asyncio.run(main())
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_no_worker_outlives_the_service(how: signal.Signals) -> None:
    """However the service ends, its workers end with it, those at rest and those at work."""
    with subprocess.Popen(
        [sys.executable, "-c", _SERVER], cwd=ROOT, env={**os.environ, "PYTHONPATH": ".:tests"}, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as server:  # fmt: skip
        assert server.stdout is not None
        assert server.stdout.readline() == b"ready\n"
        children = psutil.Process(server.pid).children()
        started = [child for child in children if TENANT.module in child.cmdline()]
        assert started
        server.send_signal(how)
        server.wait(timeout=LATE)
    _, alive = psutil.wait_procs(started, timeout=LATE)
    assert alive == []
