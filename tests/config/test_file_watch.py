"""Seeing that files were saved."""

from __future__ import annotations

import asyncio

import pytest

from wfx.commandline.config_files import Signature
from wfx.config import file_watch
from wfx.config.file_watch import FileWatch

OLD, EMPTY, NEW = Signature(1, 10, 1, 1), Signature(2, 0, 1, 1), Signature(3, 9, 1, 1)


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[Signature | None]:
    """What one look after the other finds; the last one stays so."""
    script: list[Signature | None] = []

    def look(_path: str) -> Signature | None:
        return script.pop(0) if len(script) > 1 else script[0]

    monkeypatch.setattr(file_watch, "signature", look)
    monkeypatch.setattr(file_watch, "INTERVAL", 0)
    monkeypatch.setattr(file_watch, "QUIET", 0)
    monkeypatch.setattr(file_watch, "ABSENT", 0)
    return script


@pytest.mark.parametrize("between", [[EMPTY], [None], [EMPTY, None, EMPTY], []])
async def test_half_a_save(looks: list[Signature | None], between: list[Signature | None]) -> None:
    """While a file goes on changing it is not saved yet; then it is, once."""
    looks += [OLD, OLD, *between, NEW, NEW]
    watch, hurry = FileWatch({"a": OLD}), asyncio.Event()
    await watch.changed(hurry)
    assert looks == [NEW]
    again = asyncio.create_task(watch.changed(hurry))
    await asyncio.sleep(0.05)
    assert not again.done()
    looks.append(None)
    looks.pop(0)
    await again


async def test_a_change_between_start_and_first_look(looks: list[Signature | None]) -> None:
    """What changes after the files were read and before anybody watches is seen."""
    looks.append(NEW)
    await FileWatch({"a": OLD}).changed(asyncio.Event())


async def test_hurry(looks: list[Signature | None]) -> None:
    """Who asks need not wait, and a change that is there then is not seen a second time."""
    looks += [OLD, NEW, EMPTY]
    watch, hurry = FileWatch({"a": OLD}), asyncio.Event()
    hurry.set()
    await watch.changed(hurry)
    hurry.clear()
    looks[:] = [OLD]
    again = asyncio.create_task(watch.changed(hurry))
    await asyncio.sleep(0.05)
    assert not again.done()
    again.cancel()
