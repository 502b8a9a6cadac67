"""Webhooks that lack a token of one client to be sent: they wait alone, and those of all others are sent."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance.rules.serving import ON_EACH_STORE, SECRET, WORKFLOW, ruled, webhook_options
from tests.tasks.receiving import receiver

RULES = """version: v1
scenarios:
  - id: tell
    event_types: [job.update_status]
    children:
      - action: {id: notify, type: webhook_notify, params: {url: "%s", body: "${payload.client}"}}
"""


def limit(folder: Path, *items: str) -> str:
    """Write the limits on tasks that are run; return the option that reads them."""
    (folder / "wfx.yml").write_text(f"sandbox-rate-limit-job-execute: [{', '.join(items)}]\n")
    return f"--config={folder}/wfx.yml"


@ON_EACH_STORE
@pytest.mark.parametrize("way", ["reload", "kill"])
async def test_one_client_without_tokens(
    request: pytest.FixtureRequest, storage: str, tmp_path: Path, way: str
) -> None:
    """Its further webhooks wait, and those of another are sent; all are sent once limits change, also after kill -9."""
    async with receiver() as hook:
        options = (*webhook_options(tmp_path), limit(tmp_path, "client=1/P30D", "workflow=100/P1D", "200/P1D"))
        async with ruled(request, storage, tmp_path, RULES % hook.url, *options) as service:
            await service.store_workflow()
            for client_id in ("a", "a", "a", "b"):
                await service.fail(await service.create(client_id), "r")
            await service.tasks_in("DONE", 2)
            waiting = await service.soon(lambda: service.tasks(state="WAITING"), _are_told)
            assert [(task["attempts"], task["message"]) for task in waiting] == [
                (0, "waits for the limit job-execute (client)")
            ] * 2
            assert sorted(map(str, hook.verify(SECRET))) == ["a", "b"]
            left = {each["scope"]: each for each in (await service.get("/v1/limits", client_id="a"))["content"]}
            assert {scope: each.get("left") for scope, each in left.items()} == {
                "global": 198, "client": 0, "workflow": None,
            }  # fmt: skip
            assert left["client"]["taken"] == 2
            assert left["client"]["refused"] >= 1
            shown = await service.wfxctl(
                "limit", "show", f"--workflow={WORKFLOW}", '--filter=.content[] | select(.scope == "workflow") | .left'
            )
            assert shown.split() == ["98"]
            limit(tmp_path, "client=100/P1D")
            await service.have_limits_read(way)
            await service.tasks_in("DONE", 4)
        assert sorted(map(str, hook.verify(SECRET))) == ["a", "a", "a", "b"]
        assert len({*hook.ids}) == 4


def _are_told(tasks: list[dict[str, object]]) -> bool:
    return len(tasks) == 2 and all(task["message"] for task in tasks)
