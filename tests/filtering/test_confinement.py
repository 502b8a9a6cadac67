from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

from tests.filtering.processes import workers
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


_SERVER = """
import asyncio
from wfx.filtering import Filters

async def main():
    filters = Filters(deadline=600, workers=2)
    idle = await filters.prepare("1 + 1")
    endless = await filters.prepare("last(range(1e15))")
    await asyncio.gather(filters.apply(idle, b"null"), filters.apply(idle, b"null"))
    print("ready", flush=True)
    await filters.apply(endless, b"null")

asyncio.run(main())
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_no_worker_outlives_the_server(how: signal.Signals) -> None:
    """However the server ends, its workers end with it, those at rest and those in an endless program."""
    command = [sys.executable, "-c", _SERVER]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as server:
        assert server.stdout is not None
        assert server.stdout.readline() == b"ready\n"
        started = workers(psutil.Process(server.pid))
        assert len(started) == 2
        server.send_signal(how)
        server.wait(timeout=20)
    _, alive = psutil.wait_procs(started, timeout=20)
    assert alive == []
