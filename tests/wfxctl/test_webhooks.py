"""``wfxctl webhook``: tasks are listed page by page, and failed ones done once more."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from wfxctl_stub import Reply, Stub

Run = Callable[..., Any]
TASK = {
    "id": 7, "key": "k", "kind": "webhook_notify", "state": "FAILED", "due": "2026-07-01T08:03:08Z", "attempts": 10,
    "message": "answered 500", "ctime": "2026-07-01T08:03:08Z", "mtime": "2026-07-01T08:03:09Z", "request_id": "r",
    "target": "https://hooks.example.com", "rule": "roll_back", "action": "tell", "webhook_id": "msg_1",
}  # fmt: skip
TABLE = """\
ID  STATE    ATTEMPTS  DUE                  TARGET                     RULE       ACTION  MESSAGE
7   FAILED   10        2026-07-01 08:03:08  https://hooks.example.com  roll_back  tell    answered 500
"""


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> None:
    """Times are shown in the zone of the machine."""
    import time

    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


def test_webhooks_are_a_table(north: Run, stub: Stub) -> None:
    """The newest webhooks are asked for on the management API, and shown as a table."""
    stub.will({"content": [TASK]})
    outcome = north("webhook", "list", "--state=failed")
    assert (outcome.code, outcome.out, outcome.err) == (0, TABLE, "")
    assert (stub.one.method, stub.one.path, sorted(stub.one.query)) == (
        "GET", "/v1/tasks", [("kind", "webhook_notify"), ("limit", "100"), ("sort", "desc"), ("state", "FAILED")],
    )  # fmt: skip


def test_all_pages_are_read(north: Run, stub: Stub) -> None:
    """With the limit 0 page after page is read, up to the one that tells of no other."""
    pages = [{"content": [TASK], "next": 7}, {"content": [{**TASK, "id": 6}]}]
    asked = []

    def answer(request: Any) -> Reply:
        asked.append(dict(request.query).get("after"))
        return Reply(body=json.dumps(pages[len(asked) - 1]).encode())

    stub.usual = answer
    assert north("webhook", "list", "--limit=0", "--output=name").out == "7\n6\n"
    assert asked == [None, "7"]


def test_failed_ones_are_replayed(north: Run, stub: Stub) -> None:
    """Each id is replayed by a request of its own, and shown as it is then."""
    asked = []

    def answer(request: Any) -> Reply:
        asked.append((request.method, request.path))
        return Reply(body=json.dumps({**TASK, "state": "WAITING"}).encode())

    stub.usual = answer
    assert "WAITING" in north("webhook", "replay", "7", "8").out
    assert asked == [("POST", "/v1/tasks/7/replay"), ("POST", "/v1/tasks/8/replay")]


def test_what_cannot_be_replayed(north: Run, stub: Stub) -> None:
    """What the server says of a task that has not failed is told, and the exit code is 1."""
    stub.usual = lambda _: Reply(status=409, body=b'{"error":"task 7 is DONE"}')
    outcome = north("webhook", "replay", "7")
    assert outcome.code == 1
    assert "task 7 is DONE" in outcome.err


def test_wrong_command_lines(north: Run) -> None:
    """Without an id nothing is replayed, and a list takes no arguments."""
    assert "id of a webhook missing" in north("webhook", "replay").err
    assert "takes no arguments" in north("webhook", "list", "7").err


def test_older_servers(north: Run, stub: Stub) -> None:
    """A server without tasks is told as such."""
    stub.usual = lambda _: Reply(status=404, body=b"")
    assert "the server has no tasks: it is older than this command" in north("webhook", "list").err
