"""``wfxctl job wait``: reached, out of time, hopeless."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from waiting import eventually
from wfxctl_stub import Fleet, Reply, Stub

from wfxctl import stream

Run = Callable[..., Any]


@pytest.fixture
def fleet(stub: Stub) -> Fleet:
    """Serve one job in state DIM."""
    fleet = Fleet(stub)
    fleet.create("7")
    return fleet


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let reconnections come quickly."""
    monkeypatch.setattr(stream, "_PAUSE", 0.02)
    monkeypatch.setattr(stream.Backoff, "wait", lambda _: 0.02)


def later(act: Callable[[], None]) -> threading.Thread:
    """Do something in the background."""
    thread = threading.Thread(target=act, daemon=True)
    thread.start()
    return thread


@pytest.mark.parametrize("condition", ["state=DIM", "group=OPEN"])
def test_a_goal_that_is_reached_already_needs_no_event(south: Run, fleet: Fleet, stub: Stub, condition: str) -> None:
    """The stream is opened before the job is read, and the job as it is counts."""
    outcome = south("job", "wait", "--id", "7", "--for", condition)
    assert (outcome.code, outcome.out) == (0, '{\n  "state": "DIM"\n}\n')
    assert [(seen.path, seen.query) for seen in stub.seen] == [
        ("/jobs/events", [("jobIds", "7"), ("since", "now")]),
        ("/jobs/7", [("history", "false")]),
    ]
    assert fleet.subscribed <= 1


@pytest.mark.parametrize("conditions", [["state=BRIGHT"], ["group=CLOSED"], ["state=BROKEN", "group=CLOSED"]])
def test_the_event_that_reaches_the_goal_ends_the_wait(south: Run, fleet: Fleet, conditions: list[str]) -> None:
    """The command ends as soon as any condition holds, and prints the status."""

    def proceed() -> None:
        fleet.wait_for_subscribers(1)
        fleet.change("7", "ADD_TAGS", tags=["x"])
        fleet.change("7", "UPDATE_DEFINITION", status={"state": "", "definitionHash": "1"})
        fleet.move("7", "DIM")
        fleet.move("7", "BRIGHT")

    worker = later(proceed)
    flags = [word for condition in conditions for word in ("--for", condition)]
    outcome = south("job", "wait", "--id", "7", "--timeout", "20s", "--filter", ".state", "--raw", *flags)
    worker.join()
    assert (outcome.code, outcome.out, outcome.err) == (0, "BRIGHT\n", "")


def test_time_runs_out_with_a_code_of_its_own(south: Run, fleet: Fleet) -> None:
    """When the goal is not reached in time the exit code is 3."""
    outcome = south("job", "wait", "--id", "7", "--for", "state=BRIGHT", "--timeout", "200ms")
    assert (outcome.code, outcome.out) == (3, "")
    assert outcome.err == "Error: state=BRIGHT was not reached within 200ms\n"
    assert fleet.jobs["7"]["status"]["state"] == "DIM"


def test_time_runs_out_for_a_server_that_is_not_there(run: Run) -> None:
    """A server that is not up is waited for, but no longer than the limit."""
    outcome = run("--client-port", "1", "job", "wait", "--id", "7", "--for", "state=X", "--timeout", "200ms")
    assert outcome.code == 3
    assert "connection lost (GET " in outcome.err


def test_a_job_that_does_not_exist_is_hopeless(south: Run, fleet: Fleet) -> None:
    """For a job that never was, or is gone, the exit code is 4."""
    outcome = south("job", "wait", "--id", "8", "--for", "state=BRIGHT")
    assert (outcome.code, outcome.err) == (4, "Error: there is no such job, or no longer\n")
    worker = later(lambda: (fleet.wait_for_subscribers(1), fleet.delete("7"))[1])
    outcome = south("job", "wait", "--id", "7", "--for", "state=BRIGHT")
    worker.join()
    assert outcome.code == 4
    assert outcome.err in {"Error: the job was deleted\n", "Error: there is no such job, or no longer\n"}


@pytest.mark.parametrize("condition", ["state=OFF", "state=NOWHERE", "group=NOTHING"])
def test_a_goal_that_no_transition_leads_to_is_hopeless(south: Run, fleet: Fleet, condition: str) -> None:
    """When the workflow has no way to the goal any more the exit code is 4 at once."""
    outcome = south("job", "wait", "--id", "7", "--for", condition)
    assert outcome.code == 4
    assert outcome.err == f"Error: the job is in state DIM, from where {condition} cannot be reached\n"
    assert len(fleet.log) == 1


def test_a_wrong_turn_ends_the_wait(south: Run, fleet: Fleet) -> None:
    """When the job goes where no way leads on from, the wait ends with exit code 4."""
    worker = later(lambda: (fleet.wait_for_subscribers(1), fleet.move("7", "BROKEN"))[1])
    outcome = south("job", "wait", "--id", "7", "--for", "group=CLOSED")
    worker.join()
    assert outcome.code == 4
    assert outcome.err == "Error: the job is in state BROKEN, from where group=CLOSED cannot be reached\n"


@pytest.mark.parametrize("resumable", [True, False])
def test_a_wait_survives_a_restart(run: Run, resumable: bool) -> None:
    """A server that is killed and comes back, with its log or without, does not make the wait miss what happened."""
    stub = Stub()
    fleet = Fleet(stub)
    fleet.create("7")
    fleet.resumable = resumable
    with stub.listening():
        port = stub.port

    def restart() -> None:
        with stub.listening(port):
            eventually(lambda: stub.written, "the job was read; the stream, opened before, has no end")
        fleet.move("7", "BRIGHT")
        stub.replies.append(Reply(503, b"starting"))
        with stub.listening(port):
            ended.wait(20)

    ended = threading.Event()
    worker = later(restart)
    asked = "--id 7 --for state=BRIGHT --timeout 20s --filter .state --raw"
    outcome = run("--client-port", str(port), "--client-host", "127.0.0.1", "job", "wait", *asked.split())
    ended.set()
    worker.join()
    assert (outcome.code, outcome.out) == (0, "BRIGHT\n")
    assert "connection lost (" in outcome.err


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--for", "state=X"], "job id missing"),
        (["--id", "7"], "condition missing: give --for state=NAME or --for group=NAME"),
        (["--id", "7", "--for", "X"], '--for must be state=NAME or group=NAME, not "X"'),
        (["--id", "7", "--for", "state="], '--for must be state=NAME or group=NAME, not "state="'),
        (["--id", "7", "--for", "id=3"], '--for must be state=NAME or group=NAME, not "id=3"'),
        (["--id", "7", "--for", "state=X", "--timeout", "-1s"], "--timeout must not be negative"),
    ],
)
def test_conditions_must_make_sense(run: Run, stub: Stub, argv: list[str], message: str) -> None:
    """A condition or limit that cannot be is refused before any request, with exit code 1."""
    outcome = run("--client-port", str(stub.port), "job", "wait", *argv)
    assert (outcome.code, outcome.err) == (1, f"Error: {message}\n")
    assert stub.seen == []


def test_a_refused_stream_ends_the_wait(south: Run, stub: Stub) -> None:
    """A refusal that waiting does not change is an error like any other."""
    stub.usual = lambda _: Reply(403, b"")
    outcome = south("job", "wait", "--id", "7", "--for", "state=X")
    assert outcome.code == 1
    assert outcome.err.startswith('Error: error: GET "http')
    assert outcome.err.endswith(": 403 Forbidden\n")
