"""``wfxctl rule list``: the scenarios of a server, and what is wrong with its file."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from wfxctl_stub import Reply, Stub

Run = Callable[..., Any]
RULES: dict[str, Any] = {
    "file": "rules.yml",
    "scenarios": [
        {
            "id": "roll_back", "description": "Goes back", "enabled": True, "event_types": ["job.update_status"],
            "actions": [{"id": "a", "type": "add_tags"}, {"id": "b", "type": "create_job"}], "matched": 12,
            "last_failure": {"id": "b", "message": "no workflow", "time": "2026-07-01T08:03:07Z"},
        },
        {
            "id": "food", "description": "", "enabled": False, "event_types": ["login", "logon"], "sources": ["web"],
            "actions": [], "matched": 0,
        },
    ],
}  # fmt: skip
TABLE = """\
ID         ENABLED  EVENTS             ACTIONS              MATCHED  LAST FAILURE
roll_back  yes      job.update_status  add_tags,create_job       12  b: no workflow
food       no       login,logon                                   0
"""


def test_the_scenarios_are_a_table(north: Run, stub: Stub) -> None:
    """The scenarios are a table, asked for on the management API; as JSON the answer is shown with a list."""
    stub.usual = lambda _: Reply(body=json.dumps(RULES).encode())
    outcome = north("rule", "list")
    assert (outcome.code, outcome.out, outcome.err) == (0, TABLE, "")
    assert stub.one.path == "/v1/rules"
    shown = json.loads(north("rule", "list", "--output=json").out)
    assert shown == {"file": "rules.yml", "content": RULES["scenarios"]}
    assert north("rule", "list", "-o", "name").out == "roll_back\nfood\n"


def test_faults_are_told(north: Run, stub: Stub) -> None:
    """What is wrong with the file is on standard error, without what could lead a terminal astray."""
    stub.usual = lambda _: Reply(body=json.dumps(RULES | {"faults": ["r.yml:1:2: \x1b[2J", "r.yml:3:4: b"]}).encode())
    outcome = north("rule", "list")
    assert (outcome.code, outcome.out) == (0, TABLE)
    assert outcome.err.splitlines()[1:] == ["ERROR: r.yml:3:4: b"]
    assert "\x1b" not in outcome.err


def test_warnings_are_told(north: Run, stub: Stub) -> None:
    """What will not work as the server is set up is on standard error."""
    stub.usual = lambda _: Reply(body=json.dumps(RULES | {"warnings": ["scenario a runs a script"]}).encode())
    outcome = north("rule", "list")
    assert (outcome.code, outcome.out, outcome.err) == (0, TABLE, "WARNING: scenario a runs a script\n")


def test_what_cannot_be_shown_is_said(north: Run, stub: Stub) -> None:
    """An argument is refused, a server without rules says so, and one that knows none is said to be older."""
    assert 'but was given "a"' in north("rule", "list", "a").err
    stub.usual = lambda _: Reply(404, b'{"error": "this server has no rules; start it with --rules FILE"}')
    assert north("rule", "list").err == "Error: this server has no rules; start it with --rules FILE\n"
    stub.usual = lambda _: Reply(503, b"not json")
    assert "error: not json" in north("rule", "list").err
    stub.usual = lambda _: Reply(404, b"")
    outcome = north("rule", "list")
    assert (outcome.code, "it is older than this command" in outcome.err) == (1, True)
