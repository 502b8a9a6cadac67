"""Slow filters of one client, and the filters of another."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.acceptance.streams.writing import BASE, create_job, store_workflow
from wfx.demo.local import LocalService

ENDLESS = "last(range(1e12))"


def client_at(address: str, service: LocalService) -> httpx.AsyncClient:
    """A client that comes from an address of its own."""
    transport = httpx.AsyncHTTPTransport(local_address=address, limits=httpx.Limits(max_connections=None))
    return httpx.AsyncClient(base_url=service.north + BASE, transport=transport, timeout=60, trust_env=False)


@pytest.fixture(params=["uvicorn", "hypercorn"])
def service(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LocalService]:
    """A service for each engine, with time enough for quick filters on a busy machine."""
    with LocalService(tmp_path, f"--http-engine={request.param}", "--filter-timeout=4s") as running:
        store_workflow(running)
        yield running


async def test_slow_filters_of_one_client_leave_a_worker_to_others(service: LocalService) -> None:
    """However many endless filters one client sends at once, each filter of another client is answered 200. Row 39."""
    job = f"/jobs/{await asyncio.to_thread(create_job, service, 'dev')}"
    slow, quick = ({"X-Response-Filter": program} for program in (ENDLESS, ".clientId | ascii_upcase"))
    async with client_at("127.0.0.2", service) as attacker, client_at("127.0.0.1", service) as other:
        assert (await attacker.get(job, headers=slow)).status_code == 422
        attacks = [asyncio.create_task(attacker.get(job, headers=slow)) for _ in range(30)]
        done, _ = await asyncio.wait(attacks, return_when=asyncio.FIRST_COMPLETED)
        assert {task.result().status_code for task in done} == {503}
        answers = [await other.get(job, headers=quick) for _ in range(30)]
        assert [(answer.status_code, answer.text) for answer in answers] == [(200, '"DEV"\n')] * 30
        assert {(await task).status_code for task in attacks} == {422, 503}
