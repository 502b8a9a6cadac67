"""Webhooks reach whom they may reach, signed, and nobody else."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from standardwebhooks import WebhookVerificationError

from tests.tasks.receiving import Receiver, receiver
from tests.tasks.working import add, attempts_of, ended, message, running
from wfx.store.memory import open_memory
from wfx.store.protocol import Store
from wfx.store.rule_records import Task, TaskState
from wfx.tasks import webhook
from wfx.tasks.address_guard import AddressGuard
from wfx.tasks.counts import TaskCounts
from wfx.tasks.guarded_connections import Resolve, resolve
from wfx.tasks.webhook import KIND, Webhooks, WebhookSettings

KEYS = (b"k" * 32, b"second key of the receiver")
SECRETS = tuple("whsec_" + base64.b64encode(key).decode() for key in KEYS)
LOCAL = ("127.0.0.0/8",)
BODY = {"text": "The update of 'press-7' failed & <more>", "numbers": [1, 2.5, None], "ü": "☃"}


@pytest.fixture
async def store() -> AsyncIterator[Store]:
    """A store in memory."""
    found = await open_memory()
    yield found
    await found.close()


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine may be slow: what is not about the deadline has a later one."""
    monkeypatch.setattr(webhook, "DEADLINE", 120.0)


async def delivered(
    store: Store,
    given: Any,
    *,
    allowed: Sequence[str] = LOCAL,
    resolved: Resolve = resolve,
    keys: Sequence[bytes] = KEYS[:1],
    counts: TaskCounts | None = None,
) -> Task:
    """Run one webhook to its end."""
    settings = WebhookSettings(keys, AddressGuard(allowed))
    await add(store, ("log-7/tell", KIND, given))
    async with running(store, {KIND: Webhooks(lambda: settings, resolved).perform}, counts=counts):
        return await ended(store)


async def test_a_webhook_arrives_and_verifies(store: Store) -> None:
    """A receiver in an allowed network gets the document, and its signature verifies."""
    async with receiver() as found:
        task = await delivered(store, {"url": found.url, "body": BODY, "rule": "r", "action": "a"})
    assert (task.state, message(task)) == (TaskState.DONE, "answered 204 No Content")
    assert found.verify(SECRETS[0]) == [BODY]
    with pytest.raises(WebhookVerificationError):
        found.verify(SECRETS[1])
    (request,) = found.requests
    assert request.line == "POST /hook HTTP/1.1"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["host"] == f"127.0.0.1:{found.port}"
    assert request.headers["x-request-id"] == "r-1"
    assert json.loads(request.body) == BODY


@pytest.mark.parametrize("host", [
    "127.0.0.1", "2130706433", "0x7f.1", "017700000001", "127.1", "localhost", "[::ffff:127.0.0.1]", "[::1]",
    "[64:ff9b::7f00:1]", "[::ffff:7f00:1]", "0.0.0.0", "10.0.0.1", "169.254.169.254", "[fe80::1]", "[fd00::1]",
    "224.0.0.1", "127。0。0。1",
])  # fmt: skip
async def test_addresses_that_are_not_allowed(store: Store, host: str) -> None:
    """However a private address is spelt, the task fails at once, and nobody is connected to."""
    async with receiver() as found:
        task = await delivered(store, {"url": f"http://{host}:{found.port}/", "body": {}}, allowed=())
        assert found.connections == 0
    assert task.state is TaskState.FAILED
    assert message(task).startswith("address not allowed: ")
    assert attempts_of(task) == 1


async def test_a_name_that_leads_to_a_private_address(store: Store) -> None:
    """A name that resolves to 10.0.0.1 is refused, and so is one that does at the second look."""
    asked = []

    async def inside(host: str, _: int) -> Sequence[str]:
        asked.append(host)
        return ["10.0.0.1"]

    task = await delivered(store, {"url": "http://hooks.example.com/", "body": {}}, allowed=(), resolved=inside)
    assert (task.state, message(task)) == (
        TaskState.FAILED, "address not allowed: hooks.example.com is 10.0.0.1",
    )  # fmt: skip
    assert asked == ["hooks.example.com"]


async def test_a_name_is_resolved_once_for_each_attempt(store: Store) -> None:
    """What is connected to is what was checked: the name is not looked up again in between."""
    answers = [["127.0.0.1"], ["10.0.0.1"]]

    async def changing(_: str, __: int) -> Sequence[str]:
        return answers.pop(0)

    async with receiver() as found:
        url = f"http://hooks.example.com:{found.port}/"
        task = await delivered(store, {"url": url, "body": 1}, resolved=changing)
    assert (task.state, len(answers), found.connections) == (TaskState.DONE, 1, 1)
    assert found.requests[0].headers["host"] == f"hooks.example.com:{found.port}"


async def test_of_several_addresses_an_allowed_one_is_taken(store: Store) -> None:
    """A name with an address that is not allowed, one that nobody answers at and a good one leads to the good one."""
    async with receiver() as found:

        async def several(_: str, __: int) -> Sequence[str]:
            return ["10.0.0.1", "127.0.0.9" if found.port else "", "127.0.0.1"]

        url = f"http://hooks.example.com:{found.port}/"
        task = await delivered(store, {"url": url, "body": 1}, resolved=several)
    assert (task.state, found.connections) == (TaskState.DONE, 1)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_not_followed(store: Store, status: int) -> None:
    """A redirect fails the task as an address that is not allowed, wherever it leads."""
    async with receiver() as other:

        def redirect(found: Receiver) -> None:
            found.location = other.url

        async with receiver([status], redirect) as found:
            task = await delivered(store, {"url": found.url, "body": {}})
        assert other.connections == 0
    assert task.state is TaskState.FAILED
    assert message(task).startswith(f"address not allowed: the receiver answered {status}")
    assert len(found.requests) == 1


async def test_retries_have_one_id(store: Store) -> None:
    """A receiver that answers 503 thrice and then 200 sees four attempts under one id."""
    counts = TaskCounts()
    async with receiver([503, 503, 503, 200]) as found:
        task = await delivered(store, {"url": found.url, "body": BODY}, counts=counts)
        assert found.verify(SECRETS[0]) == [BODY] * 4
    assert task.state is TaskState.DONE
    assert (len(found.ids), len(set(found.ids))) == (4, 1)
    assert (attempts_of(task), message(task)) == (4, "answered 200 OK")
    assert (counts.attempts[KIND], counts.done[KIND], counts.failed[KIND]) == (4, 1, 0)
    assert counts.seconds[KIND].counts[-1] + sum(counts.seconds[KIND].counts[:-1]) == 4


async def test_receivers_that_never_take_it(store: Store) -> None:
    """When the plan of retries is at its end the task has failed, and says what was answered last."""
    async with receiver([500]) as found:
        task = await delivered(store, {"url": found.url, "body": {}})
    assert (task.state, message(task)) == (TaskState.FAILED, "answered 500 Internal Server Error")
    assert len(found.requests) == 10
    assert len(set(found.ids)) == 1


async def test_a_receiver_that_is_gone(store: Store) -> None:
    """A receiver that answers 410 is not asked again."""
    async with receiver([410]) as found:
        task = await delivered(store, {"url": found.url, "body": {}})
    assert (task.state, len(found.requests)) == (TaskState.FAILED, 1)


async def test_all_keys_sign(store: Store) -> None:
    """While keys are changed each webhook has a signature by each of them; receivers with either accept it."""
    async with receiver() as found:
        await delivered(store, {"url": found.url, "body": BODY}, keys=KEYS)
    assert [found.verify(secret) for secret in SECRETS] == [[BODY], [BODY]]
    assert found.requests[0].headers["webhook-signature"].count("v1,") == 2


async def test_without_a_key(store: Store) -> None:
    """Without a key a webhook has an id and a time, and no signature."""
    async with receiver() as found:
        await delivered(store, {"url": found.url, "body": BODY}, keys=())
    assert "webhook-signature" not in found.requests[0].headers
    assert found.ids[0].startswith("msg_")


@pytest.mark.parametrize("filler", [0, 5, 1 << 20, -1])
async def test_answers_of_any_length(store: Store, filler: int) -> None:
    """An answer with a long body, or one without an end, is a success like another; not all of it is read."""

    def fill(found: Receiver) -> None:
        found.filler = filler

    async with receiver([200], fill) as found:
        task = await delivered(store, {"url": found.url, "body": {}})
    assert (task.state, len(found.requests)) == (TaskState.DONE, 1)


@pytest.mark.parametrize("url", [
    "ftp://example.com/", "http://", "https:///x", "nonsense", "http://a b/", "http://example.com:99999999/",
    "http://[::1/", "http://\x00/", "http://x\r\nA: b/", "http://" + "a" * 5000, None, 7,
])  # fmt: skip
async def test_what_is_no_address(store: Store, url: object) -> None:
    """What is no address fails the task at its first attempt."""
    task = await delivered(store, {"url": url, "body": {}})
    assert (task.state, attempts_of(task)) == (TaskState.FAILED, 1)
    assert "address" in message(task)


async def test_lines_cannot_be_added_to_the_header(store: Store) -> None:
    """No line end of an address or its password comes into the header, which stays small."""
    async with receiver() as found:
        url = f"http://u%0d%0aX-Evil:1:p%0d%0aX-Evil:2@127.0.0.1:{found.port}/a%0d%0aX-Evil:%203?q=%0aX-Evil:4"
        task = await delivered(store, {"url": url, "body": {}})
    assert task.state is TaskState.DONE
    assert set(found.requests[0].headers) == {
        "host", "content-type", "user-agent", "connection", "authorization", "webhook-id", "webhook-timestamp",
        "webhook-signature", "x-request-id", "content-length",
    }  # fmt: skip
    assert sum(map(len, found.requests[0].headers.values())) < 1000


async def test_a_user_in_the_address(store: Store) -> None:
    """User and password of an address are sent as basic authentication, and are in no message."""
    async with receiver([404]) as found:
        task = await delivered(store, {"url": found.url.replace("//", "//jane:s%C3%A4cret@"), "body": {}})
    sent = found.requests[0].headers["authorization"].removeprefix("Basic ")
    assert base64.b64decode(sent).decode() == "jane:säcret"
    assert "cret" not in message(task)


async def test_a_silent_receiver(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A receiver that does not answer in time is tried again as the plan says."""
    monkeypatch.setattr(webhook, "DEADLINE", 0.2)

    def silence(found: Receiver) -> None:
        found.silent = True

    async with receiver([200], silence) as found:
        task = await delivered(store, {"url": found.url, "body": {}})
    assert (task.state, message(task)) == (TaskState.FAILED, "no answer within 0.2 s")
    assert len(set(found.ids)) == 1
    assert attempts_of(task) == 10


async def test_a_receiver_that_speaks_no_tls(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a connection takes too long, the task says so, and how long it was waited for."""
    monkeypatch.setattr(webhook, "_CONNECT", 0.2)

    async def silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(silence, "127.0.0.1") as server:
        port = server.sockets[0].getsockname()[1]
        task = await delivered(store, {"url": f"https://127.0.0.1:{port}/hook", "body": {}})
    assert (task.state, message(task)) == (TaskState.FAILED, "no connection within 0.2 s")
    assert attempts_of(task) == 10


async def test_nobody_listens(store: Store) -> None:
    """A receiver that cannot be connected to is tried again as the plan says."""
    async with receiver() as found:
        url = found.url
    task = await delivered(store, {"url": url, "body": {}})
    assert (task.state, attempts_of(task)) == (TaskState.FAILED, 10)
