"""Where webhooks of a service may go, in whatever way an address is written, and how they are tried again."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance.rules.serving import ON_EACH_STORE, SECRET, altered, ruled, webhook_options
from tests.tasks.receiving import Receiver, receiver

RULES = """version: v1
scenarios:
  - id: tell
    event_types: [alarm]
    children:
      - action: {id: notify, type: webhook_notify, params: {url: "${payload.url}", body: {text: hot}}}
"""
REFUSED = {
    "http://127.0.0.1": "127.0.0.1",
    "http://2130706433": "2130706433 is 127.0.0.1",
    "http://[::ffff:127.0.0.1]": "::ffff:127.0.0.1",
    "http://[64:ff9b::7f00:1]": "64:ff9b::7f00:1",
    "http://hooks.example.com": "hooks.example.com is 10.0.0.1",
}
RESOLVER = """
from wfx.tasks import guarded_connections

_resolve = guarded_connections.resolve


async def resolve(host, port):
    return ["10.0.0.1"] if host == "hooks.example.com" else await _resolve(host, port)


guarded_connections.resolve = resolve
"""
AT_ONCE = """
from wfx.tasks import attempt
from wfx.tasks.retry_plan import RetryPlan

attempt.RetryPlan = lambda: RetryPlan((0.0,) * 9)
"""


@ON_EACH_STORE
async def test_private_addresses(request: pytest.FixtureRequest, storage: str, tmp_path: Path) -> None:
    """Webhooks to private addresses, in five spellings, fail at once with the reason, and nobody is connected to."""
    environment = altered(tmp_path, RESOLVER)
    async with receiver() as hook, ruled(request, storage, tmp_path, RULES, **environment) as service:
        for number, url in enumerate(REFUSED):
            told = await service.tell(type="alarm", id=f"e{number}", payload={"url": f"{url}:{hook.port}/hook"})
            assert told.json()["actions_executed"][0]["success"]
        tasks = await service.tasks_in("FAILED", len(REFUSED))
        listed = await service.wfxctl("webhook", "list", "--state=failed", "--columns=rule,action,message", "-o", "csv")
    said = [f"address not allowed: {reason}" for reason in REFUSED.values()]
    assert [(task["message"], task["attempts"]) for task in tasks] == [(text, 1) for text in said]
    assert listed.splitlines()[1:] == [f"tell,notify,{text}" for text in reversed(said)]  # the newest first
    assert hook.connections == 0
    failures = [each for each in service.records(rule="tell", action="notify") if each["level"] == "warn"]
    assert len(failures) == len(REFUSED)


@ON_EACH_STORE
async def test_a_redirect(request: pytest.FixtureRequest, storage: str, tmp_path: Path) -> None:
    """A receiver that may be asked and redirects, wherever to, is asked once, and the webhook has failed."""
    async with receiver() as other:

        def redirect(found: Receiver) -> None:
            found.location = other.url

        async with receiver([302], redirect) as hook:
            options = webhook_options(tmp_path)
            async with ruled(request, storage, tmp_path, RULES, *options) as service:
                await service.tell(type="alarm", payload={"url": hook.url})
                (task,) = await service.tasks_in("FAILED", 1)
    assert task["message"].startswith("address not allowed: the receiver answered 302")
    assert (hook.connections, other.connections) == (1, 0)


@ON_EACH_STORE
async def test_an_allowed_network(request: pytest.FixtureRequest, storage: str, tmp_path: Path) -> None:
    """A receiver in an allowed network that answers 503 thrice and then 200 sees four signed attempts of one id."""
    async with receiver([503, 503, 503, 200]) as hook:
        options, environment = webhook_options(tmp_path), altered(tmp_path, AT_ONCE)
        async with ruled(request, storage, tmp_path, RULES, *options, **environment) as service:
            await service.tell(type="alarm", payload={"url": hook.url}, request_id="hot-1")
            (task,) = await service.tasks_in("DONE", 1)
    assert (task["attempts"], task["message"]) == (4, "answered 200 OK")
    assert hook.verify(SECRET) == [{"text": "hot"}] * 4
    assert set(hook.ids) == {task["webhook_id"]}
    attempts = service.records(rule="tell", action="notify", reqID="hot-1")
    assert [each["message"][:30] for each in attempts] == ["task 1 is waiting: answered 503"[:30]] * 3
