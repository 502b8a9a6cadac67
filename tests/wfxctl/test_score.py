"""``wfxctl score``: the points of all actors or of one, page by page."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from wfxctl_stub import Reply, Stub

Run = Callable[..., Any]
AWARD = {"number": 1, "actor_id": "press-7", "points": 75, "reason": "failure", "time": "2026-07-01T08:03:07.5Z"}
LOSS = {"number": 4, "actor_id": "press-7", "points": -2.5, "reason": "", "time": "2026-07-01T08:03:08Z"}
TABLE = """\
TIME                 ACTOR    POINTS  REASON
2026-07-01 08:03:07  press-7  75      failure
2026-07-01 08:03:08  press-7  -2.5
"""


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> None:
    """Times are shown in the zone of the machine."""
    import time

    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


def test_all_points_are_a_table(north: Run, stub: Stub) -> None:
    """The entries of all actors are a table, asked for on the management API."""
    stub.will({"content": [AWARD, LOSS]})
    outcome = north("score")
    assert (outcome.code, outcome.out, outcome.err) == (0, TABLE, "")
    assert (stub.one.method, stub.one.path, sorted(stub.one.query)) == (
        "GET", "/v1/scores", [("limit", "100")],
    )  # fmt: skip


def test_one_actor_has_a_total(north: Run, stub: Stub) -> None:
    """Of one actor the table ends with the total, and the document has it as a member."""
    stub.usual = lambda _: Reply(
        body=json.dumps({"actor_id": "press/7", "points": 72.5, "content": [AWARD, LOSS]}).encode()
    )
    assert north("score", "press/7").out == TABLE + "total: 72.5\n"
    assert stub.one.path == "/v1/scores/press%2F7"
    assert north("score", "press/7", "--filter=.points").out == "72.5\n"
    assert "total" not in north("score", "press/7", "--output=csv").out


@pytest.mark.parametrize(("limit", "asked"), [
    ("2", [("", "2"), ("1", "1")]), ("0", [("", "1000"), ("1", "1000")]), ("1", [("", "1")]),
])  # fmt: skip
def test_pages_are_read_up_to_the_limit(north: Run, stub: Stub, limit: str, asked: list[tuple[str, str]]) -> None:
    """Further pages are asked for until there is none or the limit is reached."""
    stub.will({"content": [AWARD], "next": 1})
    stub.will({"content": [LOSS]})
    shown = json.loads(north("score", f"--limit={limit}", "--output=json").out)
    assert shown == {"content": [AWARD, LOSS][: len(asked)]}
    assert [(dict(each.query).get("after", ""), dict(each.query)["limit"]) for each in stub.seen] == asked


def test_what_cannot_be_shown_is_said(north: Run, stub: Stub) -> None:
    """A second actor is refused, and a server without points is said to be older."""
    assert 'but "b" was given' in north("score", "a", "b").err
    assert stub.seen == []
    stub.usual = lambda _: Reply(404, b"")
    assert "it is older than this command" in north("score").err
