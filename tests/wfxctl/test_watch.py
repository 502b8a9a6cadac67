"""``wfxctl job query --watch``: the list, and then what changes."""

from __future__ import annotations

import io
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from wfxctl_stub import Fleet, Reply, Seen, Stub

from wfxctl import main, stream

COLUMNS = ["ID", "CLIENT", "WORKFLOW", "STATE", "GROUP", "PROGRESS", "AGE", "CHANGED"]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let reconnections come quickly."""
    monkeypatch.setattr(stream, "_PAUSE", 0.02)
    monkeypatch.setattr(stream.Backoff, "wait", lambda _: 0.02)


class Screen:
    """What a running command has printed so far."""

    def __init__(self) -> None:
        self.out, self.err = io.BytesIO(), io.BytesIO()

    def shows(self, *expected: Any) -> bool:
        """Wait until the JSON documents printed are these."""
        deadline = time.monotonic() + 20
        while self.documents() != list(expected):
            assert time.monotonic() < deadline, (self.documents(), self.err.getvalue())
            time.sleep(0.01)
        return True

    def documents(self) -> list[Any]:
        """Return the JSON documents printed so far."""
        return [json.loads(line) for line in self.out.getvalue().decode().splitlines()]


@contextmanager
def watching(port: int, *argv: str) -> Iterator[Screen]:
    """Run the command in the background; the server ends it by refusing the stream."""
    screen = Screen()
    line = ["--client-host", "127.0.0.1", "--client-port", str(port), "job", "query", "--watch", *argv]
    thread = threading.Thread(target=main.run, args=(line, io.BytesIO(), screen.out, screen.err, {}), daemon=True)
    thread.start()
    yield screen
    thread.join(20)
    assert not thread.is_alive()


def end(stub: Stub) -> None:
    """Refuse all streams from now on, and end those that there are."""
    stub.usual = lambda _: Reply(403, b"")
    stub.cut()


BRIEF = ["--filter", "if .deleted then [.id, .deleted] else [.id, .status.state, .tags] end | tojson", "--raw"]


def test_changes_follow_the_list() -> None:
    """Each change of a job, each new job and each deletion is shown once, in order, as a document of its own."""
    stub = Stub()
    fleet = Fleet(stub)
    fleet.create("1")
    fleet.create("2", tags=["a"])
    with stub.listening() as server, watching(server.port, *BRIEF) as screen:
        assert screen.shows(["1", "DIM", []], ["2", "DIM", ["a"]])
        fleet.move("1", "BRIGHT")
        fleet.create("3")
        fleet.change("3", "ADD_TAGS", tags=["x"])
        fleet.change("2", "UPDATE_DEFINITION", definition={"a": 1}, status={"definitionHash": "1", "state": ""})
        fleet.delete("1")
        assert screen.shows(
            ["1", "DIM", []],
            ["2", "DIM", ["a"]],
            ["1", "BRIGHT", []],
            ["3", "DIM", []],
            ["3", "DIM", ["x"]],
            ["2", "DIM", ["a"]],
            ["1", True],
        )
        end(stub)


def test_only_matching_jobs_are_shown() -> None:
    """Jobs beyond the page count too; one that no longer matches is shown once more, others never."""
    stub = Stub()
    fleet = Fleet(stub)
    for name in "1234":
        fleet.create(name, tags=["x"] if name < "4" else [])
    conditions = ["--group", "OPEN,FAILED", "--tag", "x", "--workflow", "lamp", "--client-id", "dev", "--limit", "1"]
    with stub.listening() as server, watching(server.port, *BRIEF, *conditions) as screen:
        assert screen.shows(["1", "DIM", ["x"]])
        fleet.move("4", "BROKEN")  # has not the tag
        fleet.move("3", "BRIGHT")  # in another group, and never shown before
        fleet.move("2", "DIM")  # beyond the page
        fleet.move("1", "BRIGHT")  # leaves
        fleet.move("1", "BRIGHT")  # has left
        fleet.delete("4")  # was never shown
        fleet.create("5", clientId="other", tags=["x"])
        fleet.create("6", tags=["x"])
        assert screen.shows(["1", "DIM", ["x"]], ["2", "DIM", ["x"]], ["1", "BRIGHT", ["x"]], ["6", "DIM", ["x"]])
        end(stub)
    assert stub.seen[0].query == [("clientIds", "dev"), ("since", "now")]


def test_a_watch_by_state_follows_one_job_in_and_out() -> None:
    """With --state a job appears when it enters the state and is shown a last time when it leaves."""
    stub = Stub()
    fleet = Fleet(stub)
    fleet.create("0")
    fleet.create("1", status={"state": "OFF"})
    with stub.listening() as server, watching(server.port, *BRIEF, "--state", "DIM", "--limit", "0") as screen:
        assert screen.shows(["0", "DIM", []])
        fleet.move("1", "DIM")
        fleet.move("1", "BRIGHT")
        assert screen.shows(["0", "DIM", []], ["1", "DIM", []], ["1", "BRIGHT", []])
        end(stub)


@pytest.mark.parametrize("resumable", [True, False])
def test_a_watch_survives_a_restart(resumable: bool) -> None:
    """After a restart of the server, with its log or without, changes made meanwhile are shown, each once."""
    stub = Stub()
    fleet = Fleet(stub)
    fleet.create("1")
    fleet.resumable = resumable
    with stub.listening() as server:
        port = server.port
        with watching(port, *BRIEF) as screen:
            assert screen.shows(["1", "DIM", []])
            stub.cut()
            fleet.wait_for_subscribers(2)
            fleet.move("1", "DIM")
            assert screen.shows(*[["1", "DIM", []]] * 2)
            end(stub)
    assert b"connection lost (" in screen.err.getvalue()


def test_rows_stand_below_each_other() -> None:
    """As a table, the list has a heading, and later rows have the same columns; a deleted job says so."""
    stub = Stub()
    fleet = Fleet(stub)
    fleet.create("1")
    with stub.listening() as server, watching(server.port, "--output", "table") as screen:
        _until_lines(screen, 2)
        fleet.move("1", "BRIGHT")
        fleet.delete("1")
        _until_lines(screen, 4)
        end(stub)
    heading, *rows = screen.out.getvalue().decode().splitlines()
    assert heading.split() == COLUMNS
    state, group = heading.index("STATE"), heading.index("GROUP")
    assert [row[state:group].strip() for row in rows] == ["DIM", "BRIGHT", "(deleted)"]
    assert all(row.startswith("1 ") and row[heading.index("CLIENT") :].startswith("dev ") for row in rows)


def _until_lines(screen: Screen, count: int) -> None:
    deadline = time.monotonic() + 20
    while screen.out.getvalue().count(b"\n") < count:
        assert time.monotonic() < deadline, screen.err.getvalue()
        time.sleep(0.01)


def test_events_of_another_shape() -> None:
    """Whatever JSON the events of a server are, the watch goes on, and shows the events that it understands."""
    odd = [7, None, [], {"job": 7}, {"action": "CREATE", "job": [1]}, {"action": "CREATE", "job": {"id": 7, "tags": 7}},
           {"action": "UPDATE_DEFINITION", "job": {"id": "1", "mtime": 7, "status": 7}}]  # fmt: skip
    last = {"action": "UPDATE_STATUS", "job": {"id": "1", "status": {"state": "B"}}}
    job = {"id": "1", "status": "A", "tags": ["a"], "workflow": {"groups": 7, "states": 7}}
    ended = threading.Event()

    def events() -> Iterator[bytes]:
        for event in (*odd, last):
            yield f"data: {json.dumps(event)}\n\n".encode()
        ended.wait(20)

    def answer(request: Seen) -> Reply:
        if request.path == "/jobs/events":
            return Reply(403, b"") if ended.is_set() else Reply(headers={}, chunks=events)
        return Reply(body=json.dumps({"content": [job]}).encode())

    stub = Stub()
    stub.usual = answer
    shown = ["--tag", "a", "--filter", ".status.state? // empty"]
    with stub.listening() as server, watching(server.port, *shown) as screen:
        deadline = time.monotonic() + 20
        while b'"B"' not in screen.out.getvalue():
            assert time.monotonic() < deadline, screen.err.getvalue()
            time.sleep(0.01)
        ended.set()
        stub.cut()
