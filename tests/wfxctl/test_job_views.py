"""``wfxctl job history``, ``describe`` and ``retry``."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from wfxctl_stub import WORKFLOW, Reply, Stub

from wfxctl import times

Run = Callable[..., Any]


def entry(minute: int, state: str, **status: Any) -> dict[str, Any]:
    """A status that held from a minute on."""
    return {"mtime": f"2026-07-01T08:{minute:02}:00Z", "status": {"state": state} | status}


JOB = {
    "id": "7",
    "clientId": "dev",
    "workflow": WORKFLOW,
    "definition": {"url": "http://files/fw"},
    "tags": ["lab", "line 2"],
    "stime": "2026-07-01T08:00:00Z",
    "history": [
        entry(20, "DIM", progress=80, message="nearly"),
        entry(10, "DIM", progress=10),
        entry(5, ""),
        entry(0, "OFF"),
    ],
} | entry(30, "BROKEN", message="no\x1bluck", context={"code": 3})


@pytest.fixture(autouse=True)
def _an_hour_later(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(times, "time", SimpleNamespace(time=lambda: 1782896400.0))
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def answered(stub: Stub, **members: Any) -> None:
    """Answer with the job."""
    stub.usual = lambda _: Reply(body=json.dumps(JOB | members).encode())


def test_a_history_has_a_row_for_each_stay(south: Run, stub: Stub) -> None:
    """A state is one row, however many reports there were in it, with its duration and the last that was said."""
    answered(stub)
    assert south("job", "history", "7").out == (
        "STATE         GROUP   SINCE                DURATION  CHANGES  PROGRESS  MESSAGE\n"
        "OFF           OPEN    2026-07-01 08:00:00  10m             1\n"
        "DIM           OPEN    2026-07-01 08:10:00  20m             2        80  nearly\n"
        "BROKEN        FAILED  2026-07-01 08:30:00                  1            no\\x1bluck\n"
    )
    assert (stub.one.path, stub.one.query) == ("/jobs/7", [("history", "true")])


def test_the_present_state_lasts_until_now(south: Run, stub: Stub) -> None:
    """A state that can be left lasts so far."""
    answered(stub, **entry(30, "DIM"))
    rows = south("job", "history", "7").out.splitlines()[1:]
    assert [row.split()[0] for row in rows] == ["OFF", "DIM"]
    assert "50m so far" in rows[-1]


def test_a_repeated_report_is_no_other_stay(south: Run, stub: Stub) -> None:
    """A report that was made again since its answer was lost counts in the row of its state."""
    said: dict[str, Any] = {"progress": 100, "message": "ok"}
    again = [entry(12, "BRIGHT"), entry(12, "DIM", **said), entry(11, "BRIGHT"), entry(11, "DIM", **said)]
    answered(stub, history=[*again, entry(10, "BRIGHT"), entry(10, "DIM", **said), entry(0, "OFF")])
    columns = ("-o", "csv", "--columns", "state,since,duration,changes,progress,message")
    assert south("job", "history", "7", *columns).out.splitlines()[1:] == [
        "OFF,2026-07-01T08:00:00Z,600.0,1,,",
        "DIM,2026-07-01T08:10:00Z,0.0,3,100,ok",
        "BRIGHT,2026-07-01T08:10:00Z,1200.0,3,,",
        "BROKEN,2026-07-01T08:30:00Z,,1,,no\x1bluck",
    ]


def test_a_history_has_each_form(south: Run, stub: Stub) -> None:
    """For scripts a history is JSON, with seconds, or CSV."""
    answered(stub)
    stays = json.loads(south("job", "history", "--id", "7", "-o", "json").out)["content"]
    assert stays[1] == {"state": "DIM", "group": "OPEN", "since": "2026-07-01T08:10:00Z", "changes": 2, "progress": 80,
                        "message": "nearly", "seconds": 1200}  # fmt: skip
    assert south("job", "history", "7", "--filter", ".content[].seconds").out == "600\n1200\nnull\n"
    shown = south("job", "history", "7", "-o", "csv", "--columns", "state,duration").out
    assert shown == "state,duration\nOFF,600.0\nDIM,1200.0\nBROKEN,\n"


def test_no_time_is_a_time(south: Run, stub: Stub) -> None:
    """A state that was left at once lasted for no time, which is not the same as for an unknown time."""
    answered(stub, **entry(10, "BROKEN"))
    shown = south("job", "history", "7", "-o", "csv", "--columns", "duration").out.splitlines()
    assert "0.0" in shown


def test_a_description_has_all(south: Run, stub: Stub) -> None:
    """All about a job is on one screen, without control characters."""
    answered(stub)
    shown = south("job", "describe", "7").out
    assert shown.split("\n\n")[0].splitlines() == [
        "Id:         7",
        "Client:     dev",
        "Workflow:   lamp",
        "State:      BROKEN (FAILED)",
        "Message:    no\\x1bluck",
        "Tags:       lab, line 2",
        "Created:    2026-07-01 08:00:00 (1h ago)",
        "Changed:    2026-07-01 08:30:00 (30m ago)",
        "Context:",
        "  {",
        '    "code": 3',
        "  }",
        "Definition:",
        "  {",
        '    "url": "http://files/fw"',
        "  }",
    ]
    assert shown.split("\n\n")[1].startswith("History:\nSTATE ")
    answered(stub, **entry(30, "DIM", progress=5))
    shown = south("job", "describe", "7").out
    assert "Progress:   5%\n" in shown
    assert "Next:       BRIGHT (by CLIENT), BROKEN (by CLIENT)\n" in shown


def test_a_description_is_bounded(south: Run, stub: Stub) -> None:
    """A long definition and a long history are shown in part, which is said."""
    states = [entry(n % 60, f"S{n}") for n in range(30)]
    answered(stub, definition={str(n): n for n in range(100)}, history=states)
    shown = south("job", "describe", "7").out
    assert "  … 62 more lines: see wfxctl job get\n" in shown
    assert "\nHistory: (the last 20 of 31)\n" in shown
    assert len(shown.split("History:")[1].splitlines()) == 22


@pytest.mark.parametrize("answer", [7, None, [], {}, {"history": 7}, {"history": [7, {}, {"status": {"state": "A"}}]},
                                    {"status": {"state": "A"}, "mtime": 7, "workflow": 7}])  # fmt: skip
def test_odd_answers_do_no_harm(run: Run, stub: Stub, answer: Any) -> None:
    """An answer of an unexpected shape shows what there is, and no job is created of it."""
    stub.usual = lambda _: Reply(body=json.dumps(answer).encode())
    ports = [f"--client-port={stub.port}", f"--mgmt-port={stub.port}"]
    for command in ("history", "describe"):
        assert run(*ports, "job", command, "7").code == 0
    outcome = run(*ports, "job", "retry", "7")
    assert (outcome.code, outcome.err) == (1, "Error: the answer is no job with a client and a workflow\n")
    assert all(seen.method == "GET" for seen in stub.seen)


@pytest.fixture
def both(run: Run, stub: Stub) -> Run:
    """Run against the stub as both APIs."""
    return lambda *argv: run(f"--client-port={stub.port}", f"--mgmt-port={stub.port}", *argv)


def test_a_retry_is_the_same_job_anew(both: Run, stub: Stub) -> None:
    """A retry creates a job with client, workflow, definition and tags of the old one, and prints the new id."""
    stub.will(JOB)
    stub.will({"id": "8"}, 201)
    outcome = both("job", "retry", "7")
    assert (outcome.code, outcome.out, outcome.err) == (0, "8\n", "")
    assert [(seen.method, seen.path) for seen in stub.seen] == [("GET", "/jobs/7"), ("POST", "/jobs")]
    assert stub.seen[1].json == {
        "clientId": "dev", "workflow": "lamp", "definition": {"url": "http://files/fw"}, "tags": ["lab", "line 2"],
    }  # fmt: skip


def test_a_retry_keeps_all_tags(both: Run, stub: Stub) -> None:
    """Tags beyond the 16 that a job may be created with are added then; if they cannot be, the new job is named."""
    tags = [f"t{n:02}" for n in range(40)]
    for added in (tags, None):
        stub.seen.clear()
        stub.will(JOB | {"tags": tags})
        stub.will({"id": "8", "tags": tags[:16]}, 201)
        stub.will(added, 200 if added else 503)
        outcome = both("job", "retry", "7", "-o", "json")
        assert [(seen.method, seen.path) for seen in stub.seen[1:]] == [("POST", "/jobs"), ("POST", "/jobs/8/tags")]
        assert (stub.seen[1].json["tags"], stub.seen[2].json) == (tags[:16], tags[16:])
        if added:
            assert (outcome.code, json.loads(outcome.out)) == (0, {"id": "8", "tags": tags})
        else:
            assert (outcome.code, outcome.out) == (1, "")
            assert outcome.err.startswith("Error: 8 was created, but lacks the tags t16, t17,")


def test_a_retry_needs_the_management_api_alone(north: Run, stub: Stub) -> None:
    """A retry reads where it writes: the client API has deleted jobs, without what may be large."""
    answered(stub)
    assert north("job", "retry", "7").code == 0


def test_a_retry_leaves_out_what_there_was_not(both: Run, stub: Stub) -> None:
    """A job without definition and tags is created again without them, and can be shown as JSON."""
    stub.will({"clientId": "c", "workflow": {"name": "w"}, "tags": []})
    stub.will({"id": "8", "status": {"state": "A"}}, 201)
    assert both("job", "retry", "--id", "7", "--filter", ".status.state", "--raw").out == "A\n"
    assert stub.seen[1].json == {"clientId": "c", "workflow": "w"}


def test_a_retry_of_nothing_creates_nothing(both: Run, stub: Stub) -> None:
    """Where the old job is not found, or the new one is refused, the error is that of the server."""
    stub.will({"errors": [{"code": "c", "logref": "l", "message": "gone"}]}, 404)
    outcome = both("job", "retry", "7")
    assert (outcome.code, outcome.out) == (1, "ERROR: gone (code=c, logref=l)\n")
    assert len(stub.seen) == 1
