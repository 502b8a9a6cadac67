from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from tests.sandbox import test_pool
from tests.sandbox.test_pool import LATE, TENANT, opened, request, workers
from tests.waiting import eventually, is_gone
from wfx.sandbox import process as places
from wfx.sandbox.errors import LimitReached, Unavailable
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


@pytest.mark.parametrize("deed", [b"f", b"S", b"F", b"T", b"X", b"K", b"G", b"L"])
async def test_only_listed_calls(
    deed: bytes, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Opening a file or socket, starting a process, thread or program, or a signal to others ends such a worker."""
    monkeypatch.setattr(test_pool, "TENANT", replace(TENANT, only_listed_calls=True))
    async with opened() as (pool, _):
        first = (await pool.ask(request(b"p"), "a")).head
        with pytest.raises(Unavailable, match=f"status -{signal.SIGSYS:d}"):
            await pool.ask(request(deed), "a")
        assert f"status -{signal.SIGSYS:d}" in caplog.text
        assert (await pool.ask(request(b"p"), "a")).head != first


async def test_calls_that_name_the_process_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """Such a worker may change its own limits, and end itself by a signal."""
    monkeypatch.setattr(test_pool, "TENANT", replace(TENANT, only_listed_calls=True))
    async with opened() as (pool, _):
        assert (await pool.ask(request(b"l"), "a")).kind == b"."
        with pytest.raises(LimitReached):  # by SIGABRT: libraries abort when they get no memory
            await pool.ask(request(b"a"), "a")


async def test_a_worker_is_prepared(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker answers what its program prepares it with before the first request; one that cannot does not start."""
    for deed, head in ((b"e", b""), (b"r", b"")):
        monkeypatch.setattr(test_pool, "TENANT", replace(TENANT, preparation=request(deed, head, b"x" * (2 << 20))))
        async with opened() as (pool, _):
            if deed == b"e":
                assert (await pool.ask(request(b"p"), "a")).kind == b"P"
            else:
                with pytest.raises(Unavailable, match="did not start"):
                    await pool.ask(request(b"p"), "a")


_SERVER = """
import asyncio
import sys
from tests.sandbox import test_pool
from tests.sandbox.test_pool import opened, request
from wfx.sandbox import workers as starting
from wfx.sandbox.process import WorkerProgram

starting._START_SECONDS = 600.0

async def serve():
    async with opened(at_once=2, deadline=600.0, patience=600.0) as (workers, _):
        await asyncio.gather(workers.ask(request(b"p"), "a"), workers.ask(request(b"p"), "a"))
        print("ready", flush=True)
        await workers.ask(request(b"s"), "a")

async def start():
    test_pool.TENANT = WorkerProgram("tests.sandbox.slow_tenant", ("tests",))
    async with opened(patience=600.0) as (workers, _):
        print("ready", flush=True)
        await workers.ask(request(b"p"), "a")

asyncio.run({"serve": serve, "start": start}[sys.argv[1]]())
"""


@contextmanager
def server(what: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process that has workers which serve, or which start."""
    with subprocess.Popen(
        [sys.executable, "-c", _SERVER, what], cwd=ROOT, env={**os.environ, "PYTHONPATH": ".:tests"},
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_no_worker_outlives_the_service(how: signal.Signals) -> None:
    """However the service ends, its workers end with it, the one at rest and the one at work."""
    with server("serve") as process:
        started = psutil.Process(process.pid).children()
        assert len(started) == 2
        eventually(lambda: "asleep" in {worker.name() for worker in started}, "a worker works")
        process.send_signal(how)
        process.wait(timeout=LATE)
        eventually(lambda: all(map(is_gone, started)), "no worker is left")


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_no_worker_that_starts_outlives_the_service(how: signal.Signals) -> None:
    """When the service ends while a worker starts, that worker ends as well, before it is ready."""
    with server("start") as process:
        eventually(psutil.Process(process.pid).children, "a worker starts")
        started = psutil.Process(process.pid).children()
        process.send_signal(how)
        process.wait(timeout=LATE)
        eventually(lambda: all(map(is_gone, started)), "no worker is left")


def test_a_worker_of_a_service_that_is_gone() -> None:
    """A worker that was started by a process which has ended meanwhile ends at once, without an answer."""
    launcher = str(Path(places.__file__).with_name("launcher.py"))
    nobody = str(os.getpid() + 1)  # not the one that starts it
    command = [
        sys.executable,
        "-I",
        "-S",
        launcher,
        str(ROOT),
        TENANT.module,
        nobody,
        str(1 << 30),
        "5",
        "1",
        "inf",
        "0",
        "0",
    ]
    ended = subprocess.run(command, input=b"", capture_output=True, timeout=LATE, check=False)
    assert (ended.returncode, ended.stdout) == (0, b"")
