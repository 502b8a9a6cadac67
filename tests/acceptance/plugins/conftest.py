"""Services with plugins on both sides, which tests write before they start them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
import pytest
from plugin_programs import DEADLINE, PluginDirectory

from wfx.demo.local import LocalService

ENGINES = ("uvicorn", "hypercorn")


@dataclass(frozen=True, slots=True)
class Guard:
    """The plugin directories of both sides."""

    north: PluginDirectory
    south: PluginDirectory

    @property
    def options(self) -> tuple[str, str]:
        """The options that name them."""
        return f"--mgmt-plugins-dir={self.north.path}", f"--client-plugins-dir={self.south.path}"


Start = Callable[..., LocalService]


def empty_guard(folder: Path) -> Guard:
    """Make two directories without plugins."""
    for side in ("north", "south"):
        (folder / side).mkdir(mode=0o755)
    return Guard(PluginDirectory(folder / "north"), PluginDirectory(folder / "south"))


@pytest.fixture
def guard(tmp_path: Path) -> Guard:
    """Two directories without plugins."""
    return empty_guard(tmp_path)


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    """Each engine in turn, as an option."""
    return f"--http-engine={request.param}"


@pytest.fixture
def start(tmp_path: Path, guard: Guard) -> Iterator[Start]:
    """Start a service with the plugins that are in the directories by then; it is stopped after the test."""
    with ExitStack() as stack:

        def started(*options: str, **environment: str) -> LocalService:
            return stack.enter_context(LocalService(tmp_path, *guard.options, *options, environment=environment))

        yield started


def client_of(address: str) -> httpx.Client:
    """A client of one side with as many connections as it has requests."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    return httpx.Client(base_url=address, trust_env=False, timeout=DEADLINE, limits=limits)


def plugins_of(service: LocalService) -> list[psutil.Process]:
    """The processes of the plugins, found by the sessions they lead."""
    assert service.process is not None
    children = psutil.Process(service.process.pid).children()
    return [child for child in children if child.terminal() is None and _leads_session(child.pid)]


def _leads_session(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(stat[3]) == pid


def last_word(service: LocalService) -> str:
    """What the service said on standard error when it failed; the log beside it is written by a thread of its own."""
    (line,) = [line for line in service.lines if line.startswith("Error: ")]
    return line


def exit_status(service: LocalService) -> int:
    """Wait for the end of a service, and until all that it said is in its lines."""
    assert service.process is not None
    assert service.process.stdout is not None
    status = service.process.wait(DEADLINE)
    deadline = time.monotonic() + DEADLINE
    while not service.process.stdout.closed:
        assert time.monotonic() < deadline, "its output does not end"
        time.sleep(0.01)
    return status
