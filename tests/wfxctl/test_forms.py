"""Forms of the output beside JSON and tables, columns, order, and what terminals have of it all."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from wfxctl_stub import WORKFLOW, Fleet, Reply, Seen, Stub

from wfxctl import times

Run = Callable[..., Any]


@pytest.fixture(autouse=True)
def _an_hour_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """An hour after the jobs of the stub were created."""
    monkeypatch.setattr(times, "time", SimpleNamespace(time=lambda: 1782896400.0))


@pytest.fixture
def fleet(stub: Stub) -> Fleet:
    """Three jobs."""
    fleet = Fleet(stub)
    fleet.create("1", clientId="b", status={"state": "DIM", "progress": 9})
    fleet.create("2", clientId="c", status={"state": "BRIGHT", "progress": 10}, tags=["x", "y"])
    fleet.create("3", clientId="a", status={"state": "BROKEN"})
    return fleet


@pytest.mark.parametrize(("command", "names"), [
    ("job query", "1 2 3"), ("job get 2", "2"), ("job create --client-id c --workflow w", "9"),
    ("job query --sort-by client", "3 1 2"), ("job query --sort-by -client", "2 1 3"),
])  # fmt: skip
def test_names_alone(run: Run, stub: Stub, fleet: Fleet, command: str, names: str) -> None:
    """As names, jobs are their ids, one a line."""
    del fleet
    if "create" in command:
        stub.will({"id": "9"}, 201)
    ports = [f"--client-port={stub.port}", f"--mgmt-port={stub.port}"]
    assert run(*ports, *command.split(), "-o", "name").out.split("\n")[:-1] == names.split()


@pytest.mark.parametrize("flag", [["-o", "name"], ["-oname"], ["-o=name"], ["--output=name"], ["--output", "NAME"]])
def test_the_form_has_a_short_flag(south: Run, fleet: Fleet, flag: list[str]) -> None:
    """The short flag takes its value as the next word or joined."""
    del fleet
    assert south("job", "query", *flag).out == "1\n2\n3\n"


def test_yaml(south: Run, stub: Stub) -> None:
    """YAML says what JSON says, whole numbers as such, and filters apply to it too."""
    document = {"content": [{"id": "1", "n": 3, "f": 0.5, "big": 1e300, "t": "2026-07-01", "e": "é\ud800", "x": None}]}
    stub.usual = lambda _: Reply(body=json.dumps(document).encode())
    shown = south("job", "query", "-o", "yaml").out
    assert yaml.safe_load(shown) == {"content": [document["content"][0] | {"e": "é\ufffd"}]}
    assert "n: 3\n" in shown
    assert "é" in shown
    assert south("job", "query", "-o", "yaml", "--filter", ".content[].n, .content[].t").out == "3\n--- '2026-07-01'\n"
    assert south("job", "get", "7", "-o", "yaml", "--filter", "[]").out == "[]\n"


def test_csv_is_exact(south: Run, fleet: Fleet) -> None:
    """CSV has a heading, all columns but those that tell ages, and times as the API writes them."""
    fleet.create("4", clientId='a "b",\nc', status={"state": "DIM", "message": "done"})
    rows = list(csv.DictReader(io.StringIO(south("job", "query", "-o", "csv").out)))
    assert ",".join(rows[0]) == "id,client,workflow,state,group,progress,created,modified,tags,message"
    assert [row["client"] for row in rows] == ["b", "c", "a", 'a "b",\nc']
    assert rows[1] | {"id": ""} == {
        "id": "", "client": "c", "workflow": "lamp", "state": "BRIGHT", "group": "CLOSED", "progress": "10",
        "created": "2026-07-01T08:00:01Z", "modified": "2026-07-01T08:00:01Z", "tags": "x,y", "message": "",
    }  # fmt: skip
    aged = south("job", "query", "-o", "csv", "--columns", "id,age").out
    assert aged == "id,age\n1,3600\n2,3599\n3,3598\n4,3597\n"


@pytest.mark.parametrize(("client", "cell"), [
    ("=1+1", "'=1+1"), ("+1", "'+1"), ("-a", "'-a"), ("@x", "'@x"), ("\t=1", "'\t=1"), ("\r", "'\r"),
    (" =1+1", "' =1+1"), ("\n=1", "'\n=1"), ("\u00a0@x", "'\u00a0@x"), ("\ufeff-a", "'\ufeff-a"), ("\x0b+a", "'\x0b+a"),
    ("\uff1d1+1", "'\uff1d1+1"), (" \t-5", "' \t-5"), ("-5", "-5"), ("a=1", "a=1"), (" a", " a"),
])  # fmt: skip
def test_csv_has_no_formulas(south: Run, stub: Stub, client: str, cell: str) -> None:
    """What a spreadsheet would take for a formula has an apostrophe before it."""
    Fleet(stub).create("1", clientId=client)
    shown = south("job", "query", "-o", "csv", "--columns", "client").out
    assert list(csv.reader(io.StringIO(shown, newline=""))) == [["client"], [cell]]


def test_columns_are_chosen(south: Run, fleet: Fleet) -> None:
    """Columns come in the order in which they are named, in upper or lower case, and alone make a table."""
    del fleet
    assert south("job", "query", "--columns", "state,ID").out.split("\n")[1].split() == ["DIM", "1"]
    assert (
        south("job", "query", "--columns=id", "--columns=group", "-o", "csv").out
        == "id,group\n1,OPEN\n2,CLOSED\n3,FAILED\n"
    )
    assert south("job", "query", "--columns", "id", "-o", "wide").out.split() == ["ID", "1", "2", "3"]


@pytest.mark.parametrize(("column", "ids"), [
    ("progress", "1 2 3"), ("-progress", "3 2 1"), ("state", "2 3 1"), ("age", "3 2 1"), ("created", "1 2 3"),
    ("-modified", "3 2 1"), ("ID", "1 2 3"),
])  # fmt: skip
def test_rows_are_sorted(south: Run, fleet: Fleet, column: str, ids: str) -> None:
    """Rows are put in order by a column: numbers as numbers, times as times, and what is missing at the end."""
    del fleet
    for form in ("name", "table", "csv"):
        shown = south("job", "query", "--sort-by", column, "-o", form).out.split("\n")
        assert [line[:1] for line in shown if line[:1].isdecimal()] == ids.split()
    document = json.loads(south("job", "query", f"--sort-by={column}").out)
    assert [job["id"] for job in document["content"]] == ids.split()


@pytest.mark.parametrize(("argv", "said"), [
    ("--columns id,stat", '--columns: there is no column "stat" (did you mean state?)'),
    ("--columns x", '--columns: there is no column "x"; there are id, client, workflow, state, group, progress, age,'),
    ("--sort-by -mode", '--sort-by: there is no column "mode"'),
    ("--columns id -o json", "--columns needs a form that has some: --output csv, table, wide"),
    ("--columns id -o name", "--columns needs a form that has some: --output csv, table, wide"),
    ("--filter . -o wide", "--filter works on JSON only; leave out --output wide"),
    ("--filter . --columns id", "--filter works on JSON only; leave out --output table"),
    ("-o xml", 'invalid argument "xml" for "--output" flag: must be one of json, yaml, csv, name, wide, table'),
])  # fmt: skip
def test_what_does_not_go_together(run: Run, stub: Stub, argv: str, said: str) -> None:
    """Wrong columns and forms are refused before anything is asked, or created."""
    ports = [f"--client-port={stub.port}", f"--mgmt-port={stub.port}"]
    for command in (
        ["job", "query"],
        ["job", "create", "--client-id=c"],
        ["job", "query", "--watch"],
        ["job", "retry", "7"],
        ["job", "get", "7"],
    ):
        outcome = run(*ports, *command, *argv.split())
        assert (outcome.code, outcome.out) == (1, "")
        assert outcome.err.splitlines()[-1].startswith(f"Error: {said}")
    assert stub.seen == []


def test_a_terminal_tells_how_many_there_are(screen: Run, south: Run, stub: Stub) -> None:
    """Below a table on a terminal stands how many items there are, if it has not all; elsewhere nobody asks."""
    answer: dict[str, Any] = {"content": [{"id": "1"}], "pagination": {"total": 5012}}
    stub.usual = lambda _: Reply(body=json.dumps(answer).encode())
    for form in ("table", "wide"):
        assert screen("job", "query", "-o", form).err == "showing 1 of 5,012\n"
        assert dict(stub.seen[-1].query)["pagination"] == "true"
        assert screen("workflow", "query", "-o", form).err == "showing 1 of 5,012\n"
    for form in ("json", "yaml", "csv", "name"):
        assert screen("job", "query", "-o", form).err == ""
        assert "pagination" not in dict(stub.seen[-1].query)
    assert south("job", "query", "-o", "table").err == ""
    assert "pagination" not in dict(stub.seen[-1].query)
    answer["pagination"]["total"] = 1
    assert screen("job", "query", "-o", "table").err == ""


STALE = ("job", "query", "--stale", "30m", "--group", "OPEN", "--limit", "2", "-o")
ROWS = [{"id": str(number), "clientId": "c", "workflow": "w", "state": "S"} for number in range(3)]


def _fleet(rows: int, *totals: int, following: str = "") -> Callable[[Seen], Reply]:
    """Answer lists with so many rows, and counts with these totals, the one without conditions on times first."""
    page = {"content": ROWS[:rows]} | ({"next": following} if following else {})
    counts = [{"counts": [], "position": "l-1", "total": total} for total in totals]

    def answer(request: Seen) -> Reply:
        if request.path == "/api/fleet/v1/jobs":
            return Reply(body=json.dumps(page).encode())
        document = counts["modifiedBefore" in dict(request.query)]
        return Reply(body=json.dumps(document).encode())

    return answer


def test_a_terminal_tells_how_many_jobs_of_the_fleet_there_are(screen: Run, north: Run, stub: Stub) -> None:
    """A list by conditions of the fleet API tells how many jobs meet them; elsewhere than on a terminal nobody asks."""
    stub.usual = _fleet(3, 6000, 5012)
    for form in ("table", "wide"):
        assert screen(*STALE, form).err == "showing 2 of 5,012\n"
    assert screen(*STALE, "table").out.count("\n") == 3
    stub.usual = _fleet(3, 5012)
    assert screen("job", "query", "--all-tags=a,b", "--limit=2", "-o=table").err == "showing 2 of 5,012\n"
    stub.usual = _fleet(2, 6000, 2)
    assert screen(*STALE, "table").err == ""
    stub.seen.clear()
    for form in ("json", "csv", "name"):
        assert screen(*STALE, form).err == ""
    assert north(*STALE, "table").err == ""
    assert [(seen.path, dict(seen.query)["limit"]) for seen in stub.seen] == [("/api/fleet/v1/jobs", "2")] * 4


def test_what_is_dear_to_count_is_not_counted(screen: Run, stub: Stub) -> None:
    """Where the server would look at very many jobs to count them, or does not say, the line tells of more."""
    stub.usual = _fleet(3, 1_000_000)
    assert screen(*STALE, "table").err == "showing 2 of more than 2\n"
    assert [seen.path for seen in stub.seen] == ["/api/fleet/v1/jobs", "/api/fleet/v1/jobs/summary"]
    stub.usual = _fleet(2, 1_000_000, following="x")
    assert screen(*STALE, "table").err == "showing 2, or more\n"
    page = Reply(body=json.dumps({"content": ROWS}).encode())
    stub.usual = lambda request: page if request.path.endswith("/jobs") else Reply(503)
    assert screen(*STALE, "table").err == "showing 2 of more than 2\n"


ERROR = b'{"errors":[{"code":"c","logref":"l","message":"one"},{"code":"d","logref":"m","message":"two\\u001b"}]}'


def test_an_error_is_shown_once_on_a_terminal(screen: Run, stub: Stub) -> None:
    """On a terminal each error of the API is one line; where standard output goes elsewhere, it is as ever."""
    stub.usual = lambda _: Reply(400, ERROR)
    outcome = screen("job", "get", "7")
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err == "Error: one (code=c, logref=l)\nError: two\\x1b (code=d, logref=m)\n"
    piped = screen("job", "get", "7", out=io.BytesIO())
    assert piped.out == "ERROR: one (code=c, logref=l)\nERROR: two\\x1b (code=d, logref=m)\n"
    assert piped.err == outcome.err
    assert screen("job", "events").err.endswith(f"established\n{outcome.err}")
    stub.usual = lambda _: Reply(400, b"text")
    assert screen("job", "get", "7").err == "Error: error: text\n"


def test_csv_and_yaml_steer_no_terminal(screen: Run, stub: Stub) -> None:
    """On a terminal control characters are shown in each form, not obeyed."""
    nasty = "\x1b]0;owned\x07\u202e"
    Fleet(stub).create(nasty, clientId=nasty, status={"state": "DIM", "message": nasty})
    for form in ("json", "yaml", "csv", "name", "wide", "table"):
        shown = screen("job", "query", "-o", form).out
        assert "owned" in shown
        assert not {"\x1b", "\x07", "\u202e"} & set(shown)


def test_a_watch_has_each_form(stub: Stub, south: Run) -> None:
    """The list that a watch begins with is shown in the form that is wanted, and put in order."""
    fleet = Fleet(stub)
    fleet.create("2")
    fleet.create("1")
    usual = stub.usual

    def once(request: Any) -> Reply:
        streams = sum(seen.path == "/jobs/events" for seen in stub.seen)
        if request.path == "/jobs/events" and streams:
            return Reply(403, b"")
        return (
            Reply(headers={}, chunks=lambda: iter([b"retry: 1\n\n"]))
            if request.path == "/jobs/events"
            else usual(request)
        )

    stub.usual = once
    for form, shown in (("name", "1\n2\n"), ("csv", "id\n1\n2\n"), ("table", None), ("yaml", None)):
        stub.seen.clear()
        columns = ["--columns=id"] if form in ("csv", "table") else []
        out = south("job", "query", "--watch", "--sort-by=id", "-o", form, *columns).out
        assert shown is None or out == shown
        assert out.index("1") < out.index("2")
        if form == "yaml":
            assert [job["id"] for job in yaml.safe_load_all(out)] == ["1", "2"]


def test_workflows_have_each_form(south: Run, stub: Stub) -> None:
    """Workflows are shown in the same forms."""
    stub.usual = lambda _: Reply(body=json.dumps({"content": [WORKFLOW]}).encode())
    assert south("workflow", "query", "-o", "name").out == "lamp\n"
    assert (
        south("workflow", "query", "-o", "csv", "--columns", "name,groups").out
        == 'name,groups\nlamp,"OPEN,CLOSED,FAILED"\n'
    )
    assert yaml.safe_load(south("workflow", "query", "-o", "yaml").out)["content"] == [WORKFLOW]


@pytest.mark.parametrize(("seconds", "shown"), [
    (0, "0s"), (0.35, "0.3s"), (5, "5s"), (59.9, "59s"), (61, "1m1s"), (200, "3m20s"), (1500, "25m"), (3600, "1h"),
    (18180, "5h3m"), (36061, "10h"), (108000, "1d6h"), (13132800, "152d"),
])  # fmt: skip
def test_ages_have_two_units_at_most(seconds: float, shown: str) -> None:
    """How long something took is told in one or two units."""
    assert times.span(seconds) == shown
