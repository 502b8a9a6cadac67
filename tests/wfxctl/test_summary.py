"""``wfxctl job summary``: counts as a table or as JSON, once or whenever they change."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from wfxctl_stub import Reply, Stub

from wfxctl import main
from wfxctl.commands import job_summary
from wfxctl.stream import Backoff

Run = Callable[..., Any]


def summary(**jobs: int) -> dict[str, Any]:
    """Return an answer with these numbers of jobs by state."""
    groups = {"DIM": "OPEN", "BRIGHT": "CLOSED", "BROKEN": "FAILED"}
    counts = [{"workflow": "lamp", "group": groups[state], "state": state, "jobs": n} for state, n in jobs.items()]
    return {"counts": counts, "position": "log-7", "total": sum(jobs.values())}


TABLE = """\
WORKFLOW  GROUP   STATE            JOBS
lamp      CLOSED  BRIGHT           4210
lamp      OPEN    DIM                 2
(all)                              4212
"""


def test_a_table_is_the_default(north: Run, stub: Stub) -> None:
    """The counts are a table with the total below, asked for on the management API, under its fleet prefix."""
    stub.will(summary(BRIGHT=4210, DIM=2))
    outcome = north("job", "summary")
    assert (outcome.code, outcome.out, outcome.err) == (0, TABLE, "")
    assert (stub.one.method, stub.one.path, stub.one.query) == ("GET", "/api/fleet/v1/jobs/summary", [])


def test_each_filter_is_sent(north: Run, stub: Stub) -> None:
    """The conditions are those of ``job query``."""
    stub.will(summary())
    words = ["--client-id=c", "--state=s", "--workflow=w", "--group=OPEN,FAILED", "--group=CLOSED", "--tag=a,b"]
    assert north("job", "summary", *words).out.split()[-2:] == ["(all)", "0"]
    assert sorted(stub.one.query) == [
        ("clientId", "c"), ("group", "OPEN,FAILED,CLOSED"), ("state", "s"), ("tag", "a,b"), ("workflow", "w"),
    ]  # fmt: skip


def test_json_and_filters(north: Run, stub: Stub) -> None:
    """With ``--output json`` the answer is shown as it came, and a filter is applied to it."""
    stub.usual = lambda _: Reply(body=json.dumps(summary(DIM=3)).encode())
    assert json.loads(north("job", "summary", "--output", "json").out) == summary(DIM=3)
    assert north("job", "summary", "--filter", ".total").out == "3\n"


def test_groups_have_colours(north: Run, stub: Stub) -> None:
    """Rows have the colours that jobs of their group have."""
    stub.will(summary(BROKEN=1))
    assert "\x1b[31m" in north("job", "summary", "--color", "always").out


def test_a_refusal_is_told_by_its_errors(north: Run, stub: Stub) -> None:
    """Problem details are shown as errors of the other API are."""
    error = {"code": "wfx.badRequest", "logref": "7", "message": "too many tags"}
    stub.will({"title": "Bad Request", "errors": [error]}, 400)
    outcome = north("job", "summary")
    assert (outcome.code, outcome.out) == (1, "ERROR: too many tags (code=wfx.badRequest, logref=7)\n")


def test_an_older_server_is_named(north: Run, stub: Stub) -> None:
    """A server without the fleet API is said to be older, and nothing else is tried."""
    stub.replies.append(Reply(404, b""))
    outcome = north("job", "summary", "--watch")
    assert (outcome.code, outcome.err) == (1, "Error: the server has no fleet API: it is older than this command\n")
    assert len(stub.seen) == 1


@pytest.mark.parametrize("body", [[], None, {"counts": 7}, {"counts": [1, {"jobs": "x", "group": []}], "total": {}}])
def test_odd_answers_do_no_harm(north: Run, stub: Stub, body: Any) -> None:
    """An answer of an unexpected shape shows what there is."""
    stub.will(body)
    outcome = north("job", "summary")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith("WORKFLOW ")


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look again at once."""
    monkeypatch.setattr(job_summary, "_PAUSE", 0.0)
    monkeypatch.setattr(job_summary, "_SHARE", 0)
    monkeypatch.setattr(Backoff, "wait", lambda _: 0.01)


@pytest.mark.usefixtures("impatient")
def test_watching_shows_each_change(north: Run, stub: Stub) -> None:
    """With ``--watch`` the counts come again when they have changed, also after an outage, until the server refuses."""
    for each in (summary(DIM=2), summary(DIM=2), summary(DIM=1, BRIGHT=1)):
        stub.will(each)
    stub.will({"errors": []}, 503)
    stub.will(summary(BRIGHT=2))
    stub.will({"errors": []}, 403)
    outcome = north("job", "summary", "--watch", "--filter", "[.counts[].jobs] | tojson", "--raw")
    assert (outcome.code, outcome.out) == (1, "[2]\n[1,1]\n[2]\n")
    assert outcome.err.count("connection lost") == 1


class Terminal(BytesIO):
    """A terminal that keeps what it is sent."""

    def isatty(self) -> bool:
        """Say that it is one."""
        return True


@pytest.mark.usefixtures("impatient")
def test_a_terminal_shows_one_screen_that_changes(stub: Stub) -> None:
    """On a terminal each table takes the place of the one before, and leaves nothing of it."""
    stub.will(summary(BRIGHT=4210, DIM=2))
    stub.will(summary(BRIGHT=4212))
    stub.will({"errors": []}, 403)
    terminal = Terminal()
    line = ["--mgmt-port", str(stub.port), "job", "summary", "--watch", "--color", "never"]
    assert main.run(line, BytesIO(), terminal, BytesIO(), {}) == 1
    nothing, first, second = terminal.getvalue().decode().split("\x1b[H")
    assert nothing == ""
    assert first == TABLE.replace("\n", "\x1b[K\n") + "\x1b[J"
    assert second.startswith(first[: len("WORKFLOW  GROUP   STATE            JOBS\x1b[K\n")])
    assert second.endswith("4212\x1b[K\n\x1b[J")
