"""Chains of real plugins, and ways to wait for what they do."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from plugin_programs import DEADLINE, Eventually, PluginDirectory, StartChain

from wfx.plugin.chain import PluginChain
from wfx.plugin.message import Action, PluginRequest
from wfx.plugin.program import PluginSettings


@pytest.fixture
def plugins(tmp_path: Path) -> PluginDirectory:
    """Make an empty plugin directory."""
    path = tmp_path / "plugins"
    path.mkdir(mode=0o755)
    return PluginDirectory(path)


@pytest.fixture
def settings() -> PluginSettings:
    """Deadlines long enough never to strike by accident."""
    return PluginSettings(max_body=1_000_000, reply_timeout=DEADLINE, stop_grace=DEADLINE)


@pytest_asyncio.fixture
async def start(plugins: PluginDirectory, settings: PluginSettings) -> AsyncIterator[StartChain]:
    """Start the chain of the directory, with changes to the settings; it is stopped after the test."""
    chains: list[PluginChain] = []

    async def starter(**changes: float) -> PluginChain:
        changed = replace(settings, **changes)  # type: ignore[arg-type] # numbers all
        chain = await PluginChain.start(plugins.path, changed, asyncio.Event())
        chains.append(chain)
        return chain

    yield starter
    for chain in chains:
        await asyncio.wait_for(chain.stop(), DEADLINE)


@pytest.fixture
def request_of() -> Callable[..., PluginRequest]:
    """Make requests as plugins see them."""

    def make(
        destination: str = "/api/wfx/v1/jobs",
        action: Action = Action.READ,
        headers: Sequence[tuple[bytes, tuple[bytes, ...]]] = (),
        body: bytes = b"",
    ) -> PluginRequest:
        return PluginRequest(destination.encode(), action, tuple(headers), body)

    return make


@pytest.fixture
def eventually() -> Eventually:
    """Wait for a condition, and fail when it does not come true."""

    async def wait(condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(DEADLINE):
            while not condition():  # noqa: ASYNC110 - conditions of the operating system have no event
                await asyncio.sleep(0.01)

    return wait


@pytest.fixture
def alive() -> Callable[[int], bool]:
    """Tell whether a process runs; one that waits to be reaped does not."""

    def check(pid: int) -> bool:
        try:
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
        except FileNotFoundError:
            return False

    return check


@pytest.fixture(autouse=True)
def sane_umask() -> Iterator[None]:
    """Files of these tests are not writable by others, whatever the umask of the shell."""
    before = os.umask(0o022)
    yield
    os.umask(before)
