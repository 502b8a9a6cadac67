"""One story from its beginning to its end: an update fails, and the rules see to everything, under one request id."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.rules.serving import ON_EACH_STORE, SECRET, WORKFLOW, Ruled, post_office, ruled, webhook_options
from tests.tasks.receiving import Receiver, receiver

RULES = """version: v1
engine: {action_workers: 8}
scenarios:
  - id: roll_back
    event_types: [job.update_status]
    children:
      - condition:
          id: entered
          expression: >-
            payload.to == "TERMINATED" AND payload.from != payload.to AND NOT payload.tags contains "roll-back"
          children:
            - action: {id: tag_failed, type: add_tags, params: {tags: [failed]}}
            - action:
                id: create_roll_back
                type: create_job
                params:
                  client_id: ${payload.client}
                  workflow: ${payload.workflow}
                  definition: {version: "1.0", after: "${payload.job_id}"}
                  tags: [roll-back]
            - action:
                id: tell
                type: webhook_notify
                params: {url: "%s", body: {client: "${payload.client}", job: "${payload.job_id}"}}
            - action:
                id: count
                type: reward_points
                params: {operation: award, points: 1, reason: "${payload.job_id}"}
"""
MAIL = """            - action:
                id: write
                type: mail
                params:
                  to: [night-shift@example.com]
                  subject: "${payload.client} failed"
                  text: "Job ${payload.job_id}"
"""
STORIES = 200


def mail_options(port: int) -> tuple[str, ...]:
    """Return options by which mails go to this port."""
    return ("--smtp-host=127.0.0.1", f"--smtp-port={port}", "--smtp-tls=none", "--smtp-from=wfx@example.com")


@ON_EACH_STORE
async def test_an_update_fails(request: pytest.FixtureRequest, storage: str, tmp_path: Path) -> None:
    """A failed update is tagged, rolled back, counted, told by a signed webhook and by mail; one id finds it all."""
    async with receiver() as hook, post_office() as post:
        options = (*webhook_options(tmp_path), *mail_options(post.port), "--log-level=debug")
        async with ruled(request, storage, tmp_path, RULES % hook.url + MAIL, *options) as service:
            await service.store_workflow()
            job_id = await service.create("press-7")
            await service.fail(job_id, "story-7")
            webhook, mail = await service.tasks_in("DONE", 2)
            await _look_at_jobs(service, job_id)
            score = await service.get("/v1/scores/press-7")
            listed = await service.wfxctl("webhook", "list", "--columns=rule,action,request,attempts", "-o", "csv")
    assert (score["points"], [each["reason"] for each in score["content"]]) == (1, [job_id])
    assert hook.verify(SECRET) == [{"client": "press-7", "job": job_id}]
    assert hook.requests[0].headers["x-request-id"] == "story-7"
    assert [(str(one["Subject"]), one.get_content().strip()) for one in post.mails] == [
        ("press-7 failed", f"Job {job_id}")
    ]
    assert [(task["kind"], task["rule"], task["action"]) for task in (webhook, mail)] == [
        ("webhook_notify", "roll_back", "tell"), ("mail", "roll_back", "write"),
    ]  # fmt: skip
    assert {task["request_id"] for task in (webhook, mail)} == {"story-7"}
    assert webhook["webhook_id"] == hook.ids[0]
    assert listed.splitlines()[1:] == ["roll_back,tell,story-7,1"]
    _look_at_records(service)


async def _look_at_jobs(service: Ruled, job_id: str) -> None:
    """The failed job has its tag, and the roll-back is there, with the rule as the cause of both."""
    back, failed = sorted(await service.jobs(clientId="press-7"), key=lambda job: job["id"] == job_id)
    assert (failed["id"], failed["tags"]) == (job_id, ["failed"])
    assert (back["tags"], back["workflow"]["name"]) == (["roll-back"], WORKFLOW)
    assert back["definition"] == {"version": "1.0", "after": job_id}
    page = await service.get("/api/wfx/v1/jobs/events", since="0", limit=1000)
    told = [(each["event"]["action"], each["event"].get("cause")) for each in page["content"]]
    cause = {"rule": "roll_back", "root": 3, "depth": 1}
    assert told[1:] == [("UPDATE_STATUS", None), ("ADD_TAGS", cause), ("CREATE", cause)]


def _look_at_records(service: Ruled) -> None:
    """The log has the request, the three changes, and the ends of both tasks under the id."""
    records = service.records(reqID="story-7")
    ends = [each for each in records if each["message"].startswith("task ")]
    assert sorted((each["rule"], each["action"]) for each in ends) == [("roll_back", "tell"), ("roll_back", "write")]
    assert SECRET not in "".join(service.service.lines)


@ON_EACH_STORE
@pytest.mark.timeout(600)
async def test_stories_at_once(request: pytest.FixtureRequest, storage: str, tmp_path: Path) -> None:
    """Of 200 failures at once each has a request id of its own, which finds all that it brought about, and no more."""
    async with receiver() as hook:
        options = (*webhook_options(tmp_path), "--log-level=debug")
        async with ruled(request, storage, tmp_path, RULES % hook.url, *options) as service:
            await service.store_workflow()
            jobs = {f"press-{number}": await service.create(f"press-{number}") for number in range(STORIES)}
            await asyncio.gather(*(service.fail(job_id, f"story-of-{client}") for client, job_id in jobs.items()))
            tasks = await service.tasks_in("DONE", STORIES)
            scores = (await service.get("/v1/scores", limit=1000))["content"]
            found = await service.jobs()
    by_story = {f"story-of-{client}": (client, job_id) for client, job_id in jobs.items()}
    assert {(score["actor_id"], score["reason"]) for score in scores} == set(jobs.items())
    assert len(scores) == STORIES
    backs = {(job["clientId"], job["definition"]["after"]) for job in found if job["tags"] == ["roll-back"]}
    assert backs == set(jobs.items())
    assert len(found) == 2 * STORIES
    assert Counter(task["request_id"] for task in tasks) == Counter(by_story.keys())
    _look_at_webhooks(hook, by_story, {task["request_id"]: task for task in tasks})
    _look_at_logs(service, by_story)


def _look_at_webhooks(hook: Receiver, by_story: dict[str, tuple[str, str]], tasks: dict[str, Any]) -> None:
    """Each story has one webhook, about its client and job, of its task."""
    assert len(hook.requests) == STORIES
    for sent, body in zip(hook.requests, hook.verify(SECRET), strict=True):
        story = sent.headers["x-request-id"]
        assert body == dict(zip(("client", "job"), by_story[story], strict=True))
        assert sent.headers["webhook-id"] == tasks[story]["webhook_id"]


def _look_at_logs(service: Ruled, by_story: dict[str, tuple[str, str]]) -> None:
    """The records with the id of a story are of its request, its three changes and its task, and of no other's."""
    by_id: dict[str, list[dict[str, Any]]] = {}
    for record in service.records():
        by_id.setdefault(record.get("reqID", ""), []).append(record)
    of_client = {client: story for story, (client, _) in by_story.items()}
    for story, (_, job_id) in by_story.items():
        records = by_id[story]
        assert len([each for each in records if each["message"].startswith("task ")]) == 1
        changes = [each for each in records if "clientId" in each]
        assert len(changes) == 3, records
        assert {of_client[each["clientId"]] for each in changes} == {story}
        assert [each["jobId"] == job_id for each in changes] == [True, True, False]
        assert [each.get("rule") for each in changes] == [None, "roll_back", "roll_back"]
