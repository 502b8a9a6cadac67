"""Whether a store that hangs counts as up."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest

from wfx.service import health
from wfx.service.health import Health
from wfx.store.protocol import Store


class Hanging:
    """A store that never answers."""

    async def ping(self) -> None:
        """Wait for ever."""
        await asyncio.Event().wait()


async def test_a_store_that_hangs_is_down(monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that does not answer within the deadline is down, and the report says so."""
    monkeypatch.setattr(health, "DEADLINE_SECONDS", 0.01)
    report = await asyncio.wait_for(Health(cast("Store", Hanging())).report(), 30)
    assert not report.up
    assert report.error == "no answer within 0.01 s"
