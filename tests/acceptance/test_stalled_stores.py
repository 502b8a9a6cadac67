"""Time of changes: databases that another program holds a lock on, and every kind of change to them."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from tests.composition import Running, composed
from tests.store.postgres_schemas import schemas
from wfx.request_context import Side
from wfx.store.postgres import opening

WORKFLOW = {
    "name": "w",
    "states": [{"name": "A"}, {"name": "B"}],
    "transitions": [{"from": "A", "to": "B", "eligible": "CLIENT"}, {"from": "A", "to": "B", "eligible": "WFX"}],
}
LIMIT, TOLD = 0.4, "was not begun within 0.4 s"
_HOLDER = """
import sqlite3, sys
held = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=60)
held.execute("BEGIN EXCLUSIVE")
print("held", flush=True)
sys.stdin.read()
"""
JOB, JOBS = "/api/wfx/v1/jobs/{id}", "/api/wfx/v1/jobs"
CHANGES: dict[str, tuple[str, str, Any]] = {
    "create": ("POST", JOBS, {"clientId": "new", "workflow": "w"}),
    "report": ("PUT", f"{JOB}/status", {"state": "B"}),
    "definition": ("PUT", f"{JOB}/definition", {"version": 2}),
    "tags": ("POST", f"{JOB}/tags", ["late"]),
    "fewer tags": ("DELETE", f"{JOB}/tags", ["early"]),
    "delete": ("DELETE", JOB, None),
    "workflow": ("POST", "/api/wfx/v1/workflows", {**WORKFLOW, "name": "late"}),
    "delete workflow": ("DELETE", "/api/wfx/v1/workflows/unused", None),
    "fleet status": ("PUT", "/api/fleet/v1/jobs/{id}/status", {"state": "B"}),
    "batch": ("POST", "/api/fleet/v1/jobs:batch", {"jobs": [{"clientId": "new", "workflow": "w"}]}),
    "batch with key": ("POST", "/api/fleet/v1/jobs:batch", {"jobs": [{"clientId": "new", "workflow": "w"}]}),
    "update of many": ("POST", "/api/fleet/v1/jobs:update", {"ids": ["{id}"], "status": {"state": "B"}}),
}


class Kept(NamedTuple):
    """A store, and how another program stalls it."""

    settings: dict[str, Any]
    option: str
    is_shared: bool

    @asynccontextmanager
    async def stalled(self, mode: str) -> AsyncIterator[None]:
        """Hold a lock on it: one that stops ``writes`` or, where that is possible, also ``reads``."""
        lock = _postgres_lock(self.option, mode) if self.is_shared else _sqlite_lock(self.option)
        await asyncio.to_thread(lock.__enter__)  # the service may have to finish something first
        try:
            yield
        finally:
            await asyncio.to_thread(lock.__exit__, None, None, None)


@contextmanager
def _sqlite_lock(path: str) -> Iterator[None]:
    with subprocess.Popen(
        [sys.executable, "-c", _HOLDER, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        try:
            yield
        finally:
            holder.communicate(b"")


@contextmanager
def _postgres_lock(option: str, mode: str) -> Iterator[None]:
    how = "SHARE ROW EXCLUSIVE" if mode == "writes" else "ACCESS EXCLUSIVE"
    script = f"BEGIN; LOCK TABLE log, job, workflow, bulk_request IN {how} MODE; SELECT 'held';"
    with subprocess.Popen(["psql", "-qAt", option], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdin is not None
        assert holder.stdout is not None
        holder.stdin.write(script + "\n")
        holder.stdin.flush()
        assert holder.stdout.readline() == "held\n"
        try:
            yield
        finally:
            holder.communicate("ROLLBACK;\n")


@pytest.fixture(params=["sqlite", "postgres"])
def kept(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kept:
    """Each kind of storage; who finds it locked is told so after a time that is longer than that of a change."""
    if request.param == "sqlite":
        path = tmp_path / "wfx.db"
        return Kept({"storage_opt": f"file:{path}?_busy_timeout=900"}, str(path), is_shared=False)
    monkeypatch.setitem(opening._WRITE, "lock_timeout", "900ms")
    option = schemas(request.getfixturevalue("postgres"), request.getfixturevalue("database"))(tmp_path)
    return Kept({"storage": "postgres", "storage_opt": option}, option, is_shared=True)


@asynccontextmanager
async def service(folder: Path, kept: Kept) -> AsyncIterator[tuple[Running, httpx.AsyncClient]]:
    """Run a service with two workflows."""
    async with composed(folder, **kept.settings) as running:
        base = running.url(Side.NORTH).removesuffix("/api/wfx/v1")
        async with httpx.AsyncClient(trust_env=False, base_url=base, timeout=60) as client:
            for name in ("w", "unused"):
                assert (await client.post("/api/wfx/v1/workflows", json={**WORKFLOW, "name": name})).status_code == 201
            yield running, client


async def everything(client: httpx.AsyncClient) -> list[Any]:
    """Read what there is."""
    paths = ("/api/wfx/v1/jobs?limit=100", "/api/wfx/v1/workflows?limit=100", "/api/fleet/v1/jobs?limit=100")
    return [(await client.get(path)).json() for path in paths]


async def change(client: httpx.AsyncClient, what: str, job_id: str) -> httpx.Response:
    """Ask for a change."""
    method, path, body = CHANGES[what]
    if what == "update of many":
        body = {**body, "ids": [job_id]}
    headers = {"Idempotency-Key": "k"} if what == "batch with key" else {}
    return await client.request(method, path.replace("{id}", job_id), json=body, headers=headers)


RULES = """version: v1
scenarios:
  - id: order
    event_types: [order]
    children:
      - action: {id: create, type: create_job, params: {client_id: ruled, workflow: w}}
"""


async def test_an_event(kept: Kept, tmp_path: Path) -> None:
    """An event from outside gets 408 as well, nothing of it is done, and told again under its id it is done once."""
    (tmp_path / "rules.yml").write_text(RULES)
    event = {"type": "order", "id": "e"}
    ruled = kept._replace(settings={**kept.settings, "rules": str(tmp_path / "rules.yml")})
    async with service(tmp_path, ruled) as (running, client):
        running.tune(sandbox_max_command_duration=LIMIT)
        async with kept.stalled("writes"):
            stalled = await client.post("/v1/events", json=event)
        assert (stalled.status_code, TOLD in stalled.text) == (408, True)
        running.tune(sandbox_max_command_duration=0.0)
        assert (await client.get(JOBS)).json()["content"] == []
        for _ in range(2):
            answer = await client.post("/v1/events", json=event)
            assert (answer.status_code, answer.json()["actions_executed"][0]["success"]) == (200, True)
        assert len((await client.get(JOBS)).json()["content"]) == 1


@pytest.mark.parametrize("mode", ["writes", "reads"])
async def test_every_kind_of_change(kept: Kept, tmp_path: Path, mode: str) -> None:
    """While another program holds a lock on the database, each kind of change gets 408 and is not made."""
    async with service(tmp_path, kept) as (running, client):
        job = {"clientId": "d", "workflow": "w", "tags": ["early"]}
        ids = {what: (await client.post(JOBS, json=job)).json()["id"] for what in CHANGES}
        before = await everything(client)
        running.tune(sandbox_max_command_duration=LIMIT)
        async with kept.stalled(mode):
            answers = {what: await change(client, what, ids[what]) for what in CHANGES}
        told = {what: (each.status_code, TOLD in each.text) for what, each in answers.items()}
        assert told == dict.fromkeys(CHANGES, (408, True))
        running.tune(sandbox_max_command_duration=0.0)
        assert await everything(client) == before
        for what in CHANGES:
            answer = await change(client, what, ids[what])
            assert answer.is_success, (what, answer.text)
