"""``wfxctl limit show``: how often work may begin."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wfxctl_stub import Reply, Stub

Run = Callable[..., Any]
LIMITS = {
    "content": [
        {"kind": "instance-start", "scope": "global", "limit": "20/PT1M", "left": 0, "wait": 2.5, "taken": 20,
         "refused": 3},
        {"kind": "activity-start", "scope": "client", "limit": "5/PT1H", "taken": 7, "refused": 0},
    ],
    "max_allowed_repetitions": 0,
    "max_command_duration": 0,
}  # fmt: skip
TABLE = """\
KIND            SCOPE   LIMIT    LEFT  WAIT  TAKEN  REFUSED
instance-start  global  20/PT1M  0     2.5   20     3
activity-start  client  5/PT1H               7      0
"""


def test_the_table(north: Run, stub: Stub) -> None:
    """Limits are a table, with what is left of those that belong to all."""
    stub.will(LIMITS)
    outcome = north("limit", "show")
    assert (outcome.code, outcome.out, outcome.err) == (0, TABLE, "")
    assert (stub.one.method, stub.one.path, stub.one.query) == ("GET", "/v1/limits", [])


def test_whose_tokens(north: Run, stub: Stub) -> None:
    """A client and a workflow may be named, whose tokens the server tells then."""
    stub.will(LIMITS)
    assert north("limit", "show", "--client-id=press 7", "--workflow=dau", "--filter=.content[0].left").out == "0\n"
    assert sorted(stub.one.query) == [("client_id", "press 7"), ("workflow", "dau")]


def test_an_older_server(north: Run, stub: Stub) -> None:
    """A server that knows no limits is told from one that has none."""
    stub.usual = lambda _: Reply(404, body=b"")
    outcome = north("limit", "show")
    assert outcome.code == 1
    assert "it is older than this command" in outcome.err
