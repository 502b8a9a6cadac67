"""Seeing that files were saved."""

from __future__ import annotations

import asyncio

import pytest

from wfx.commandline.config_files import Signature
from wfx.config import file_watch
from wfx.config.file_watch import FileWatch

OLD, EMPTY, NEW = Signature(1, 10, 1, 1), Signature(2, 0, 1, 1), Signature(3, 9, 1, 1)
DEADLINE = 60.0


class Looks:
    """What one look at the file after the other finds; the last of it stays so."""

    def __init__(self) -> None:
        self.script: list[Signature | None] = []
        self.count = 0

    def __call__(self, _path: str) -> Signature | None:
        """Look."""
        self.count += 1
        return self.script.pop(0) if len(self.script) > 1 else self.script[0]

    async def happen(self, number: int) -> None:
        """Wait until somebody has looked so many more times."""
        wanted = self.count + number
        async with asyncio.timeout(DEADLINE):
            while self.count < wanted:  # noqa: ASYNC110  # what is waited for has no event to tell it
                await asyncio.sleep(0)


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> Looks:
    """What looking finds, without pauses."""
    looks = Looks()
    monkeypatch.setattr(file_watch, "signature", looks)
    for pause in ("INTERVAL", "QUIET", "ABSENT"):
        monkeypatch.setattr(file_watch, pause, 0)
    return looks


@pytest.mark.parametrize("between", [[EMPTY], [None], [EMPTY, None, EMPTY], []])
async def test_half_a_save(looks: Looks, between: list[Signature | None]) -> None:
    """While a file goes on changing it is not saved yet; then it is, once."""
    looks.script += [OLD, OLD, *between, NEW, NEW]
    watch, hurry = FileWatch({"a": OLD}), asyncio.Event()
    await watch.changed(hurry)
    assert looks.script == [NEW]
    again = asyncio.create_task(watch.changed(hurry))
    await looks.happen(5)
    assert not again.done()
    looks.script[:] = [None]
    await again


async def test_a_change_between_start_and_first_look(looks: Looks) -> None:
    """What changes after the files were read and before anybody watches is seen."""
    looks.script.append(NEW)
    await FileWatch({"a": OLD}).changed(asyncio.Event())


@pytest.mark.parametrize("gone", [EMPTY, None])
async def test_patience(looks: Looks, monkeypatch: pytest.MonkeyPatch, gone: Signature | None) -> None:
    """A file that is empty or gone is waited for longer than one that has changed."""
    waits: list[float] = []

    async def wait(_event: asyncio.Event, seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr(file_watch, "_wait", wait)
    for pause, seconds in (("INTERVAL", 1), ("QUIET", 2), ("ABSENT", 3)):
        monkeypatch.setattr(file_watch, pause, seconds)
    looks.script += [OLD, gone, NEW, NEW]
    await FileWatch({"a": OLD}).changed(asyncio.Event())
    assert waits == [1, 3, 2]


async def test_hurry(looks: Looks) -> None:
    """Who asks need not wait, and a change that is there then is not seen a second time."""
    looks.script += [NEW]
    watch, hurry = FileWatch({"a": OLD}), asyncio.Event()
    hurry.set()
    await watch.changed(hurry)
    assert looks.count == 1
    hurry.clear()
    again = asyncio.create_task(watch.changed(hurry))
    await looks.happen(5)
    assert not again.done()
    again.cancel()
