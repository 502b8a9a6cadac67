from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from tests.filtering.processes import workers
from tests.waiting import eventually, is_gone
from wfx.filtering import Filters

ROOT = Path(__file__).parents[2]


@pytest.fixture
async def worker(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AsyncIterator[psutil.Process]:
    """A worker at rest, of a process with a secret variable and an open, inheritable file."""
    monkeypatch.setenv("CANARY", "a-secret-of-the-server")
    with (tmp_path / "file").open("w") as file:
        os.set_inheritable(file.fileno(), True)
        async with Filters(deadline=30) as filters:
            await filters.apply(await filters.prepare("1 + 1"), b"null")
            yield workers()[0]


def kernel(worker: psutil.Process, file: str) -> str:
    """Read what the kernel says of a process."""
    return Path(f"/proc/{worker.pid}/{file}").read_text()


def held_files(worker: psutil.Process) -> dict[str, str]:
    """Give the numbers and names of all open files of a process."""
    return {entry.name: str(entry.readlink()) for entry in Path(f"/proc/{worker.pid}/fd").iterdir()}


async def test_a_worker_has_no_environment(worker: psutil.Process) -> None:
    """Not even outside of jq does a worker hold a variable of the server."""
    assert worker.environ() == {}


async def test_a_worker_holds_no_file_of_the_server(worker: psutil.Process) -> None:
    """A worker has its pipes, a null device for errors, and what tells its own size; nothing else."""
    held = held_files(worker)
    assert sorted(held) == ["0", "1", "2", "3"]
    assert held["2"] == os.devnull
    assert held["3"] == f"/proc/{worker.pid}/statm"


async def test_a_worker_cannot_open_files_or_grow(worker: psutil.Process) -> None:
    """The system refuses a worker files, core dumps and memory beyond the limit."""
    limits = {line[:25].strip(): line[25:].split()[:2] for line in kernel(worker, "limits").splitlines()}
    assert limits["Max open files"] == ["0", "0"]
    assert limits["Max file size"] == ["0", "0"]
    assert limits["Max core file size"] == ["0", "0"]
    assert limits["Max address space"] == [str(256 * 1024 * 1024)] * 2


async def test_a_worker_stands_apart(worker: psutil.Process) -> None:
    """A worker has its own process group and directory, yields to the server, and can gain no rights."""
    assert os.getpgid(worker.pid) == worker.pid
    assert worker.cwd() == "/"
    assert worker.nice() > psutil.Process().nice()
    assert "NoNewPrivs:\t1" in kernel(worker, "status")


async def test_the_server_never_loads_jq(worker: psutil.Process) -> None:
    """The library lives in the workers alone."""
    assert worker.is_running()
    code = "import sys, wfx.filtering.filters; assert 'jq' not in sys.modules, 'jq was loaded'"
    await asyncio.to_thread(subprocess.run, [sys.executable, "-c", code], check=True, cwd=ROOT)


async def test_a_worker_can_be_ended_by_its_own_timers() -> None:
    """Signals that the server was started without, as under nohup, end a worker all the same."""
    timers = (signal.SIGALRM, signal.SIGXCPU)
    before = {number: signal.signal(number, signal.SIG_IGN) for number in timers}
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, timers)
    try:
        async with Filters(deadline=30) as filters:
            await filters.prepare("1 + 1")
            (worker,) = workers()
            state = dict(line.split(":\t") for line in kernel(worker, "status").splitlines() if line.startswith("Sig"))
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for number, handler in before.items():
            signal.signal(number, handler)
    for number in timers:
        assert not (int(state["SigIgn"], 16) | int(state["SigBlk"], 16)) & 1 << number - 1


_SERVER = """
import asyncio, signal
from wfx.filtering import Filters

async def main():
    filters = Filters(deadline=DEADLINE, workers=2)
    idle = await filters.prepare("1 + 1")
    endless = await filters.prepare("last(range(1e15))")
    await asyncio.gather(filters.apply(idle, b"null"), filters.apply(idle, b"null"))
    print("ready", flush=True)
    await filters.apply(endless, b"null")

signal.signal(signal.SIGINT, signal.default_int_handler)
asyncio.run(main())
"""


@contextmanager
def server_with_workers(deadline: int) -> Iterator[tuple[subprocess.Popen[bytes], list[psutil.Process]]]:
    """A process with a worker at rest and one in an endless program; nothing of it is left, whatever happens."""
    command = [sys.executable, "-c", _SERVER.replace("DEADLINE", str(deadline))]
    started: list[psutil.Process] = []
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as server:
        try:
            assert server.stdout is not None
            assert server.stdout.readline() == b"ready\n"
            started += workers(psutil.Process(server.pid))
            assert len(started) == 2
            yield server, started
        finally:
            for process in (server, *started):
                with suppress(psutil.NoSuchProcess):
                    process.kill()


@pytest.mark.parametrize("ignored", [False, True])
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_no_worker_outlives_the_server(how: signal.Signals, *, ignored: bool) -> None:
    """However the server ends, its workers end with it; also where SIGINT is ignored, as in a shell's background."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN if ignored else signal.default_int_handler)
    try:
        with server_with_workers(deadline=600) as (server, started):
            server.send_signal(how)
            server.wait(timeout=60)
            _, alive = psutil.wait_procs(started, timeout=60)
            assert alive == []
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_worker_ends_a_program_itself_when_the_server_is_stuck() -> None:
    """When the server does nothing any more, a worker ends with its program's time; the one at rest stays."""
    with server_with_workers(deadline=5) as (server, started):
        eventually(lambda: any(worker.cpu_times().user > 0.5 for worker in started), "it runs")  # measured: only waits
        server.send_signal(signal.SIGSTOP)
        eventually(lambda: any(map(is_gone, started)), "a worker has ended")
        assert {worker.status() for worker in started} == {psutil.STATUS_SLEEPING, psutil.STATUS_ZOMBIE}
