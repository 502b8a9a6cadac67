"""The recipes of the guide, each at work on jobs of the workflow that they are for."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
import yaml
from reactions.at_work import AtWork, at_work, tags_of

from tests.store.samples import all_jobs, begin
from wfx import spec_files
from wfx.domain import transition
from wfx.domain.job import Job, Status
from wfx.domain.workflow import Actor, Workflow
from wfx.reactions import consumer
from wfx.reactions.rule_source import RuleSource
from wfx.store.memory import open_memory
from wfx.store.protocol import Store
from wfx.store.rule_records import TaskQuery

DIRECT = "wfx.workflow.dau.direct"


@pytest.fixture
async def fleet() -> AsyncIterator[Store]:
    """A store with the workflow of the recipes."""
    store = await open_memory()
    text = spec_files.find(f"workflows/{DIRECT}.yml").read_bytes()
    await store.create_workflow(Workflow.from_wire(yaml.safe_load(text)))
    yield store
    await store.close()


def recipe(name: str) -> RuleSource:
    """Return an example."""
    return RuleSource(str(spec_files.find(f"rules/{name}.yml")))


async def fail(work: AtWork, client_id: str = "press-7", job: Job | None = None) -> Job:
    """Let the update of a device fail."""
    if job is None:
        job = await work.store.create_job(DIRECT, begin(client_id))
    decide = partial(transition.decide, wanted=Status("TERMINATED", message="no space"), actor=Actor.CLIENT)
    failed = await work.store.change_job(job.id, decide)
    await work.settled()
    return failed


async def test_a_failed_update_is_rolled_back(fleet: Store) -> None:
    """The job is tagged, a webhook queued and the way back created; when that fails, too, nothing more is done."""
    async with at_work(fleet, recipe("roll-back")) as work:
        first = await fail(work)
        back = (await all_jobs(fleet))[-1]
        assert json.loads(back.definition or b"") == {"version": "1.0", "after": first.id}
        await fail(work, job=back)
    assert [tags_of(job) for job in await all_jobs(fleet)] == [["failed"], ["roll-back"]]
    (task,) = await fleet.list_tasks(TaskQuery())
    sent: dict[str, Any] = json.loads(task.input)
    assert sent["body"] == {"text": "The update of press-7 failed; a roll-back is on its way."}


async def test_an_alert_after_three_failures(fleet: Store) -> None:
    """Two failures of a device only count; the third one sends a mail, and those of others do not matter."""
    async with at_work(fleet, recipe("alert")) as work:
        await fail(work)
        await fail(work, "press-8")
        await fail(work)
        assert not await fleet.list_tasks(TaskQuery())
        third = await fail(work)
    (task,) = await fleet.list_tasks(TaskQuery())
    assert json.loads(task.input)["subject"] == "press-7 has failed again"
    assert json.loads(task.input)["text"] == f"Job {third.id} went from INSTALL to TERMINATED."
    assert await fleet.score_totals(["press-7", "press-8"]) == {"press-7": 3, "press-8": 1}


async def test_quarantine_by_score(fleet: Store) -> None:
    """New jobs of a device that has failed five times get a tag; those of others do not."""
    async with at_work(fleet, recipe("alert")) as work:
        for _ in range(5):
            await fail(work)
    async with at_work(fleet, recipe("quarantine")) as work:
        for client_id in ("press-7", "press-8"):
            await fleet.create_job(DIRECT, begin(client_id))
        await work.settled()
    assert [tags_of(job) for job in (await all_jobs(fleet))[-2:]] == [["quarantine"], []]


@pytest.mark.parametrize(("hour", "created"), [(21, 1), (22, 2), (3, 2), (4, 1)])
async def test_a_retry_at_night(fleet: Store, monkeypatch: pytest.MonkeyPatch, hour: int, created: int) -> None:
    """What fails at night is tried once more, and not again."""

    class Night(datetime):
        @classmethod
        def now(cls, _: Any = None) -> datetime:  # type: ignore[override]
            return datetime(2026, 11, 30, hour, tzinfo=UTC)

    monkeypatch.setattr(consumer, "datetime", Night)
    async with at_work(fleet, recipe("nightly-retry")) as work:
        await fail(work)
        await fail(work, job=(await all_jobs(fleet))[-1])
    jobs = await all_jobs(fleet)
    assert len(jobs) == created
    assert [tags_of(job) for job in jobs[1:]] == [["retry"]] * (created - 1)
