"""Limits of what rules may begin: a full queue of events, and webhooks that wait for their turn."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.acceptance.rules.serving import ON_EACH_STORE, SECRET, altered, ruled, webhook_options
from tests.tasks.receiving import receiver

RULES = """version: v1
engine: {queue_depth: 10, action_workers: 1}
scenarios:
  - id: tell
    event_types: [alarm]
    children:
      - action: {id: notify, type: webhook_notify, params: {url: "%s", body: "${payload.number}"}}
"""

SELDOM = "from wfx.tasks import runner; runner._LONGEST_LIMIT = 86400.0\n"
"""Has the service look once a day by itself whether a limit was lifted, in place of once a minute."""


def limits(folder: Path, **settings: str) -> str:
    """Write the settings of limits; return the option that reads them."""
    text = "".join(f"sandbox-rate-limit-{name.replace('_', '-')}: [{value}]\n" for name, value in settings.items())
    (folder / "wfx.yml").write_text(text or "{}\n")
    return "--config=wfx.yml"


@ON_EACH_STORE
async def test_a_full_queue(request: pytest.FixtureRequest, storage: str, tmp_path: Path) -> None:
    """With room for ten the service is ready at eight events that wait and not at nine, and the eleventh gets 429."""
    none_left = limits(tmp_path, job_schedule="1/P30D")
    url = "https://hooks.example.com/"
    async with ruled(request, storage, tmp_path, RULES % url, none_left) as service:
        assert (await service.tell(type="alarm", payload={"number": 0})).status_code == 200  # the one token is taken

        async def queue(count: int) -> int:
            batch = [{"type": "alarm", "payload": {"number": number}} for number in range(count)]
            answer = await service.client.post("/v1/events/batch", json=batch)
            assert answer.status_code == 202
            assert answer.json()["queued"] == count
            return (await service.client.get("/readyz")).status_code

        assert [await queue(8), await queue(1), await queue(1)] == [200, 503, 503]
        assert (await service.client.get("/healthz")).status_code == 200
        refused = await service.tell(type="alarm", payload={"number": 11})
        assert (refused.status_code, refused.json()) == (429, {"error": "event queue full (capacity 10)"})
        batch = await service.client.post("/v1/events/batch", json=[{"type": "alarm"}])
        assert (batch.status_code, batch.json()) == (429, {"error": "event queue full (capacity 10)"})
        assert len(await service.tasks()) == 1
    lost = service.records(message="the service stops before all events were evaluated")
    assert [each["lost"] for each in lost] == [10]


@ON_EACH_STORE
async def test_webhooks_wait_for_their_turn(request: pytest.FixtureRequest, storage: str, tmp_path: Path) -> None:
    """Where ten webhooks may be sent, the ten oldest of thirty are; the others follow once the limit is lifted."""
    few = limits(tmp_path, job_execute="10/P30D")
    async with receiver() as hook:
        rules = (RULES % hook.url).replace("queue_depth: 10", "queue_depth: 100")
        options, environment = (*webhook_options(tmp_path), few), altered(tmp_path, SELDOM)
        async with ruled(request, storage, tmp_path, rules, *options, **environment) as service:
            for number in range(30):
                assert (await service.tell(type="alarm", payload={"number": number})).status_code == 200
            await service.tasks_in("DONE", 10)
            refused = await service.soon(service.limits, lambda found: found[0]["refused"])
            assert (refused[0]["left"], refused[0]["taken"]) == (0, 10)
            assert sorted(hook.verify(SECRET)) == [*range(10)]  # several are on their way at once
            limits(tmp_path)
            service.service.process.send_signal(signal.SIGHUP)  # type: ignore[union-attr]
            await service.tasks_in("DONE", 30)
    assert sorted(hook.verify(SECRET)) == [*range(30)]
