from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from wfx.domain.definition import hash_of
from wfx.domain.job import Job
from wfx.domain.json import decode
from wfx.domain.query import JobQuery, Paging
from wfx.store.opening import open_store
from wfx_loadtest import direct
from wfx_loadtest.populate import fill


def _option(folder: Path) -> str:
    return f"file:{folder / 'load.db'}?_fk=1&_journal=WAL"


async def _jobs(folder: Path) -> tuple[Job, ...]:
    store = await open_store("sqlite", _option(folder))
    try:
        page = await store.query_jobs(JobQuery(paging=Paging(limit=0)))
        for job in page.items[:5]:
            assert not (await store.get_history(job.id, 10)).items
        return page.items
    finally:
        await store.close()


async def test_the_jobs_are_as_the_contract_says(tmp_path: Path) -> None:
    """LOAD-0, LOAD-1, … of the direct workflow in states at random, with both tags, an empty definition, no history."""
    await fill(300, 2, "sqlite", _option(tmp_path))
    jobs = await _jobs(tmp_path)
    assert sorted(job.client_id for job in jobs) == sorted(f"LOAD-{number}" for number in range(300))
    assert {job.workflow.name for job in jobs} == {direct.NAME}
    assert {job.state for job in jobs} == {state["name"] for state in direct.document()["states"]}
    assert {job.tags for job in jobs} == {b'["EUROPE_WEST","loadtest"]'}
    assert {job.definition for job in jobs} == {b"{}"}
    for job in jobs:
        status = decode(job.status)
        assert status == {"clientId": job.client_id, "definitionHash": hash_of({}), "state": job.state}


async def test_a_second_filling_adds_to_the_first(tmp_path: Path) -> None:
    """The workflow is created once; more jobs can be added later."""
    for _ in range(2):
        await fill(20, 1, "sqlite", _option(tmp_path))
    assert len(await _jobs(tmp_path)) == 40


@pytest.mark.parametrize("workers", [1, 7, 1000])
async def test_any_number_of_workers_does_the_work(tmp_path: Path, workers: int) -> None:
    """One worker, several, or far too many: all jobs are there, and nothing is locked."""
    filled = await fill(250, workers, "sqlite", _option(tmp_path))
    assert filled.jobs == len(await _jobs(tmp_path)) == 250


async def test_nothing_to_create_creates_the_workflow_alone(tmp_path: Path) -> None:
    """With a count of 0 the workflow is there and no job."""
    await fill(0, 4, "sqlite", _option(tmp_path))
    assert await _jobs(tmp_path) == ()


def _populate(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "wfx_loadtest.cli", "populate", *arguments],
        cwd=folder,
        text=True,
        capture_output=True,
        timeout=60,
        check=False,
    )


async def test_the_command_fills_a_file(tmp_path: Path) -> None:
    """The command says how many jobs it created, and exits with 0."""
    done = await asyncio.to_thread(_populate, "--count", "50", "--storage-opt", _option(tmp_path), folder=tmp_path)
    assert (done.returncode, done.stdout.split()[:2], done.stderr) == (0, ["50", "jobs"], "")
    assert len(await _jobs(tmp_path)) == 50


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--workers", "0"], 'Error: invalid argument "0" for "--workers" flag: must be at least 1'),
        (["--storage", "punchcards"], "Error: unknown storage 'punchcards'"),
        (["--storage-opt", "file:/nowhere/at/all.db"], "Error: "),
    ],
)
def test_what_cannot_be_done_is_refused_at_once(tmp_path: Path, arguments: list[str], message: str) -> None:
    """No workers, an unknown storage, a file that cannot be: an error line that says why, and exit code 1."""
    done = _populate(*arguments, folder=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith(message)
    assert "Traceback" not in done.stderr
