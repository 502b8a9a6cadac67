"""Tables for people."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from wfxctl_stub import WORKFLOW, Fleet, Reply, Stub

from wfxctl import times

Run = Callable[..., Any]


@pytest.fixture(autouse=True)
def _two_hours_east(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An hour after the jobs of the stub were created, in a time zone two hours east of Greenwich."""
    monkeypatch.setattr(times, "time", SimpleNamespace(time=lambda: 1782896400.5))
    monkeypatch.setenv("TZ", "UTC-2")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_jobs_as_a_table(south: Run, stub: Stub) -> None:
    """A table has one row for each job, with how long ago it was created and changed, and cuts nothing."""
    fleet = Fleet(stub)
    fleet.create("5c0b3b5c-8a1e-4d9c-9d3f-2f5f3f6f7a10", clientId="a client with a very long name " * 4)
    fleet.create("2", status={"state": "BRIGHT", "progress": 100})
    fleet.create("3", workflow={"name": "w"}, status={"state": "ALONE", "progress": 0})
    outcome = south("job", "query", "--output", "table", "--limit", "0")
    heading, first, second, third = outcome.out.splitlines()
    client = "a client with a very long name " * 4
    assert first == (
        f"5c0b3b5c-8a1e-4d9c-9d3f-2f5f3f6f7a10  {client}  lamp      DIM           OPEN              1h   1h"
    )
    columns = [heading.index(word) for word in heading.split()]
    assert [second[a:b].strip() for a, b in zip(columns, [*columns[1:], None], strict=True)] == [
        "2",
        "dev",
        "lamp",
        "BRIGHT",
        "CLOSED",
        "100",
        "59m",
        "59m",
    ]
    assert third.split()[:5] == ["3", "dev", "w", "ALONE", "0"]


def test_wide_tables_have_exact_times(south: Run, stub: Stub) -> None:
    """A wide table has all columns, among them the times of this machine's zone."""
    Fleet(stub).create("1", tags=["a b", "c"], status={"state": "DIM", "message": "=half"})
    heading, row = south("job", "query", "-o", "wide").out.splitlines()
    assert heading.split()[6:] == ["AGE", "CHANGED", "CREATED", "MODIFIED", "TAGS", "MESSAGE"]
    assert re.split("  +", row[heading.index("AGE") :]) == [
        "1h", "1h", "2026-07-01 10:00:00", "2026-07-01 10:00:00", "a b,c", "=half",
    ]  # fmt: skip


def test_one_job_as_a_table(south: Run, stub: Stub) -> None:
    """A single job is a table of one row, and colours come only when asked for."""
    Fleet(stub).create("7", status={"state": "BROKEN"})
    plain = south("job", "get", "--id", "7", "--output", "TABLE").out
    assert plain.splitlines()[1].split()[:5] == ["7", "dev", "lamp", "BROKEN", "FAILED"]
    assert "\x1b" not in plain
    colored = south("job", "get", "--id", "7", "--output", "table", "--color", "always").out
    assert "\x1b[31m" in colored
    assert colored.replace("\x1b[1m", "").replace("\x1b[31m", "").replace("\x1b[0m", "").split() == plain.split()


def test_workflows_as_a_table(south: Run, stub: Stub) -> None:
    """Workflows are shown with their sizes and groups."""
    described = WORKFLOW | {"description": "two lines\nand [bold]markup[/bold]"}
    stub.usual = lambda _: Reply(body=json.dumps({"content": [described, {"name": "empty"}]}).encode())
    heading, lamp, empty = south("workflow", "query", "--output", "table").out.splitlines()
    assert heading.split() == ["NAME", "STATES", "TRANSITIONS", "GROUPS", "DESCRIPTION"]
    assert lamp.split(maxsplit=4) == ["lamp", "4", "4", "OPEN,CLOSED,FAILED", "two lines\\x0aand [bold]markup[/bold]"]
    assert empty.split() == ["empty", "0", "0"]
    stub.usual = lambda _: Reply(body=json.dumps(described).encode())
    assert south("workflow", "get", "--name", "lamp", "--output", "table").out.splitlines()[1].split() == lamp.split()


@pytest.mark.parametrize(
    "body",
    [
        {"content": []},
        [],
        {"content": [1, None]},
        {"content": 7},
        None,
        {"content": [{"id": 3, "status": [], "workflow": {"groups": [1, {"states": 3}]}, "stime": "x"}]},
    ],
)
def test_odd_answers_do_no_harm(south: Run, stub: Stub, body: Any) -> None:
    """An answer of an unexpected shape shows what there is."""
    stub.will(body)
    outcome = south("job", "query", "--output", "table")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith("ID ")


def test_wide_characters_keep_columns_straight(south: Run, stub: Stub) -> None:
    """Names in scripts with wide characters take the room that they need."""
    fleet = Fleet(stub)
    fleet.create("1", clientId="装置")
    fleet.create("2", clientId="dev")
    heading, first, second = south("job", "query", "--output", "table").out.splitlines()
    assert first.index("lamp") == second.index("lamp") - 2  # two characters, four columns
    assert second.index("lamp") == heading.index("WORKFLOW")


def test_a_table_cannot_be_filtered(south: Run, stub: Stub) -> None:
    """A filter and a table exclude each other, which is said before anything is shown."""
    for command in (["job", "query"], ["job", "query", "--watch"], ["workflow", "query"]):
        outcome = south(*command, "--output", "table", "--filter", ".")
        assert (outcome.code, outcome.out) == (1, "")
        assert outcome.err == "Error: --filter works on JSON only; leave out --output table\n"
    assert stub.seen == []


def test_json_is_the_default(south: Run, stub: Stub) -> None:
    """Without --output, and with --output json, the answer is JSON."""
    stub.usual = lambda _: Reply(body=b'{"content":[]}')
    for more in ([], ["--output", "json"], ["--output", ""]):
        assert south("job", "query", *more).out == '{\n  "content": []\n}\n'
