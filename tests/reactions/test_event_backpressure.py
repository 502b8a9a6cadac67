"""A real server whose evaluation of events stalls: what it answers, and what its probes and metrics tell."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from conformance import conforming_async_client

from tests.composition import composed
from tests.reactions.incoming_events import FOOD, PURCHASE, Loaded, Stalling
from tests.waiting import until
from wfx.reactions.incoming import Incoming
from wfx.request_context import Side


@asynccontextmanager
async def stalled(
    folder: Path, monkeypatch: pytest.MonkeyPatch, **engine: Any
) -> AsyncIterator[tuple[httpx.AsyncClient, Incoming, Stalling]]:
    """A server with rules, whose commits of events are held up."""
    async with composed(folder) as running:
        incoming = running.parts.services.incoming
        stalling = Stalling(running.parts.services.rule_store)  # type: ignore[arg-type]  # it is the whole store
        rules = Loaded.of(FOOD, **engine)
        monkeypatch.setattr(incoming, "_rules", rules)
        monkeypatch.setattr(incoming._taker, "_rules", rules)
        monkeypatch.setattr(incoming._taker, "_store", stalling)
        stalling.flows.clear()
        base = f"http://127.0.0.1:{running.ports[Side.NORTH]}"
        async with conforming_async_client(base, timeout=60, trust_env=False) as client:
            yield client, incoming, stalling
            stalling.flows.set()


async def test_the_eleventh_event_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With room for ten, eight events leave the server ready and nine do not; the eleventh is refused with 429."""
    async with stalled(tmp_path, monkeypatch, queue_depth=10) as (client, incoming, stalling):
        waiting: list[asyncio.Task[httpx.Response]] = []
        for number, ready in ((8, 200), (9, 503), (10, 503)):
            while len(waiting) < number:
                waiting.append(asyncio.create_task(client.post("/v1/events", json=PURCHASE)))
            await until(lambda number=number: len(incoming.queue) == number)  # type: ignore[misc]
            probe = await client.get("/readyz")
            assert probe.status_code == ready
            assert (await client.get("/healthz")).status_code == 200
        assert probe.json()["reason"] == "more than 80 % of the event queue is taken"
        for path, body in (("/v1/events", PURCHASE), ("/v1/events/batch", [PURCHASE])):
            refused = await client.post(path, json=body)
            assert (refused.status_code, refused.json()) == (429, {"error": "event queue full (capacity 10)"})
            assert refused.headers["retry-after"] == "1"
        metrics = (await client.get("/metrics")).text
        assert "wfx_rules_event_queue_length 10.0" in metrics
        assert "wfx_rules_event_queue_capacity 10.0" in metrics
        assert 'wfx_rules_events_total{outcome="refused"} 2.0' in metrics
        assert (await client.get("/api/wfx/v1/jobs")).status_code == 200
        stalling.flows.set()
        assert {answer.status_code for answer in await asyncio.gather(*waiting)} == {200}
        assert (await client.get("/readyz")).status_code == 200


async def test_a_batch_is_told_what_fits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a batch for which there is not enough room as many events are queued as fit, and the rest is rejected."""
    async with stalled(tmp_path, monkeypatch, queue_depth=3) as (client, _, _):
        answer = await client.post("/v1/events/batch", json=[PURCHASE] * 5)
        assert answer.status_code == 202
        told = answer.json()
        assert (told["total"], told["queued"], told["rejected"]) == (5, 3, 2)


async def test_too_late_is_408(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An event that is not evaluated in time gets 408, and nothing of it happens later."""
    async with stalled(tmp_path, monkeypatch, event_timeout_ms=100) as (client, incoming, stalling):
        refused = await client.post("/v1/events", json={**PURCHASE, "id": "late"})
        assert (refused.status_code, refused.json()) == (
            408, {"error": "the event was not evaluated within 100 ms; nothing was done"},
        )  # fmt: skip
        stalling.flows.set()
        await until(lambda: len(incoming.queue) == 0)
        assert (await client.get("/v1/scores")).json() == {"content": []}
