"""Scripts in a server of several worker processes: whichever answers shows all runs, and ends any of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
from command_lines import Run, runner
from postgres_server import Postgres
from waiting import eventually

from tests.reactions.watched_scripts import DEBUG, PATIENT, SHOWN, TOKEN
from tests.store.postgres_schemas import schemas
from tests.tuned import tuned
from tests.workers.service import WorkerService, running
from tests.workers.test_siblings import listening
from wfx.diagnostics import DebugSources, Diagnostics, RunningScripts
from wfx.server.siblings import Siblings
from wfx.service.scripts import Scripts
from wfxctl.main import PROGRAM

SILENT = "workers did not answer"
_LOOKS = 12
"""Requests, of which two workers answer some each."""


@pytest.fixture(scope="module")
def service(postgres: Postgres, database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WorkerService]:
    """A service of two workers that run scripts."""
    folder = tmp_path_factory.mktemp("workers")
    with running(folder, schemas(postgres, database)(folder), "--enable-scripts", *PATIENT, *DEBUG) as started:
        with started.client() as client:
            client.put("/v1/scripts/endless", content="while (true) {}").raise_for_status()
        yield started


def page(service: WorkerService) -> Any:
    """The page of processes, of the worker that happens to answer, once the other one has answered to it in time."""
    with service.client() as client:
        while True:
            found = client.get("/debug/processes", headers=SHOWN).raise_for_status().json()
            if "silentWorkers" not in found:
                return found


def run_in_both(service: WorkerService, pool: ThreadPoolExecutor) -> dict[str, int]:
    """Begin runs until each worker has one; returns the workers by the numbers of the runs."""
    runs: list[Future[httpx.Response]] = []

    def begun() -> bool:
        found = page(service)["scripts"]
        if len({run["worker"] for run in found}) == 2:
            return True
        if len(found) == len(runs):
            url = f"{service.local.north}/v1/scripts/endless/run"
            runs.append(pool.submit(httpx.post, url, json={}, timeout=600, trust_env=False))
        return False

    eventually(begun, "each worker runs a script")
    return {run["number"]: run["worker"] for run in page(service)["scripts"]}


def test_any_worker_shows_and_ends_all(service: WorkerService, tmp_path: Path) -> None:
    """Each worker shows the runs of both, the oldest first, and ends those of the other; then nobody runs anything."""
    with ThreadPoolExecutor(64) as pool:
        runs = run_in_both(service, pool)
        pages = [page(service) for _ in range(_LOOKS)]
        assert len({each["service"]["pid"] for each in pages}) == 2
        for each in pages:
            assert {shown["number"]: shown["worker"] for shown in each["scripts"]} == runs
            seconds = [shown["seconds"] for shown in each["scripts"]]
            assert seconds == sorted(seconds, reverse=True)
        run = runner(PROGRAM, tmp_path)
        at = ("--mgmt-host=127.0.0.1", f"--mgmt-port={service.local.ports['north']}")
        env = {"WFX_TOKEN": TOKEN}

        def all_listed() -> bool:
            listed = json.loads(run("script", "ps", "-o", "json", *at, env=env).out)["content"]
            return {shown["number"] for shown in listed} == set(runs)

        eventually(all_listed, "all are listed")
        for number in runs:
            eventually(partial(_is_ended, run, number, *at), "it is ended")
        eventually(lambda: page(service)["scripts"] == [], "nothing runs")
        gone = run("script", "kill", next(iter(runs)), *at, env=env)
        assert gone.code == 1
        assert "no script runs in this server" in gone.err or SILENT in gone.err


def _is_ended(run: Run, number: str, *at: str) -> bool:
    """End a run; tell whether that was possible, and not the other worker silent."""
    outcome = run("script", "kill", number, *at, env={"WFX_TOKEN": TOKEN})
    assert outcome.code == 0 or SILENT in outcome.err
    return outcome.code == 0


async def test_a_worker_that_hangs() -> None:
    """While a worker does not answer, the page says which, and that a run may be there, not that there is none."""
    opened, name = listening()
    scripts = cast(Scripts, SimpleNamespace(running=[], end=lambda _: False))
    running_scripts = RunningScripts(scripts, Siblings(1, opened, {2: name}))
    sources = cast(DebugSources, SimpleNamespace(running_scripts=running_scripts))
    settings = tuned(debug_enabled=True, debug_auth_token=TOKEN)
    with closing(opened):
        assert await running_scripts.shown() == {"scripts": [], "silentWorkers": [2]}
        app = httpx.ASGITransport(Diagnostics(settings, sources))
        async with httpx.AsyncClient(transport=app, base_url="http://localhost", headers=SHOWN) as client:
            refused = await client.delete("/processes/7")
    assert (refused.status_code, f"{SILENT}: 2" in refused.text) == (503, True)
