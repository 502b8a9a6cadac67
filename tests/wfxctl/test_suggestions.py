"""Suggestions for mistyped names, on terminals only."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from wfxctl_stub import WORKFLOW, Reply, Seen, Stub

Run = Callable[..., Any]

REFUSED = b'{"errors":[{"code":"c","logref":"l","message":"no"}]}'
CASES = [
    ("workflow get lmap", 'there is no workflow "lmap" (did you mean lamp?)'),
    ("workflow delete lamp lamps", 'there is no workflow "lamps" (did you mean lamp?)'),
    ("workflow get zzz", 'there is no workflow "zzz"'),
    ("job create --client-id c --workflow lampp", 'there is no workflow "lampp" (did you mean lamp?)'),
    ("job update-status 7 --state BRIHGT", 'there is no state "BRIHGT" (did you mean BRIGHT?)'),
]
EMPTY = [
    ("job query --state BROKE", 'there is no state "BROKE" (did you mean BROKEN?)'),
    ("job query --workflow lam --state DIM", 'there is no workflow "lam" (did you mean lamp?)'),
    ("job query --group OPEN,FIALED -o name", 'there is no group "FIALED" (did you mean FAILED?)'),
    ("job query --state DIM", ""),
    ("job query --client-id x", ""),
]

MANY = [
    ("job update-status --tag t --state BRIGHT --yes", 3, ""),
    ("job update-status --from-state DIMM --state BRIHGT --yes", 0, 'there is no state "DIMM" (did you mean DIM?)'),
    ("job delete --group FIALED --yes", 0, 'there is no group "FIALED" (did you mean FAILED?)'),
    ("job delete --group (none),FAILED --yes", 0, ""),
    ("job delete --group FIALED --dry-run", 0, 'there is no group "FIALED" (did you mean FAILED?)'),
    ("job add-tags --workflow lmap --yes x", 0, 'there is no workflow "lmap" (did you mean lamp?)'),
    ("job retry --workflow lmap --yes", 0, 'there is no workflow "lmap" (did you mean lamp?)'),
    ("job query --stale 1h --state DIMM", 0, 'there is no state "DIMM" (did you mean DIM?)'),
    ("job summary --state DIMM", 0, 'there is no state "DIMM" (did you mean DIM?)'),
    ("job create -f jobs.ndjson --dry-run", 2, 'there is no workflow "lmap" (did you mean lamp?)'),
    ("job create -f jobs.ndjson", 2, 'there is no workflow "lmap" (did you mean lamp?)'),
    ("job create --clients-from clients --workflow lmap", 2, 'there is no workflow "lmap" (did you mean lamp?)'),
]  # fmt: skip
"""Commands for many jobs, how many jobs there are, and what they tell."""
JOBS = '{"clientId": "a", "workflow": "lamp"}\n{"clientId": "b", "workflow": "lmap"}\n'


def answer_for_many(count: int, workflows: int = 1) -> Callable[[Seen], Reply]:
    """Answer as the fleet API does for so many jobs, none of which can be changed."""

    def answered(request: Seen) -> Reply:
        if request.path == "/workflows":
            return Reply(body=json.dumps({"content": [WORKFLOW], "pagination": {"total": workflows}}).encode())
        if "/api/fleet/" not in request.path:
            return answer(request)
        body = request.json if request.method == "POST" else {}
        named = len(body.get("jobs", ())) or count
        items = [{"clientId": "a", "outcome": "failed", "error": {"message": "no"}}] * named
        found = {"count": named, "rest": 0, "items": items, "counts": [], "content": [], "total": 0, "position": "a-1"}
        return Reply(body=json.dumps(found).encode())

    return answered


def answer(request: Seen) -> Reply:
    """Know one workflow and a job of it, and have no jobs in lists; refuse all else."""
    found: dict[str, Any] = {
        "/workflows": {"content": [WORKFLOW]}, "/workflows/lamp": WORKFLOW, "/jobs/7": {"workflow": WORKFLOW},
        "/jobs": {"content": []},
    }  # fmt: skip
    if request.path in found and request.method == "GET":
        return Reply(body=json.dumps(found[request.path]).encode())
    return Reply(204, b"") if (request.method, request.path) == ("DELETE", "/workflows/lamp") else Reply(404, REFUSED)


@pytest.mark.parametrize(("line", "hint"), CASES)
def test_a_refusal_tells_what_may_have_been_meant(screen: Run, run: Run, stub: Stub, line: str, hint: str) -> None:
    """On a terminal a refused name is followed by the one that is most like it; elsewhere nobody asks."""
    stub.usual = answer
    outcome = screen(*line.split())
    assert outcome.code == 1
    assert outcome.err.splitlines()[-2:] == ["Error: no (code=c, logref=l)", hint]
    count = len(stub.seen)
    elsewhere = run(f"--client-port={stub.port}", f"--mgmt-port={stub.port}", *line.split())
    assert (elsewhere.out, elsewhere.err.splitlines()[-1]) == (
        "ERROR: no (code=c, logref=l)\n", f"Error: error: {REFUSED.decode()}",
    )  # fmt: skip
    assert len(stub.seen) == 2 * count - 1


@pytest.mark.parametrize(("line", "hint"), EMPTY)
def test_an_empty_list_tells_what_may_have_been_meant(screen: Run, run: Run, stub: Stub, line: str, hint: str) -> None:
    """On a terminal an empty list says which name of a condition there is not; elsewhere nobody asks."""
    stub.usual = answer
    outcome = screen(*line.split())
    assert (outcome.code, outcome.err.strip()) == (0, hint)
    stub.seen.clear()
    elsewhere = run(f"--client-port={stub.port}", *line.split())
    assert (elsewhere.code, elsewhere.err, len(stub.seen)) == (0, "", 1)


def test_a_name_that_is_known_needs_no_suggestion(screen: Run, stub: Stub) -> None:
    """A refusal for another reason, and a server that cannot tell its names, are not followed by anything."""
    stub.usual = lambda request: Reply(400, REFUSED) if request.method == "PUT" else answer(request)
    assert screen("job", "update-status", "7", "--state", "DIM").err == "Error: no (code=c, logref=l)\n"
    stub.usual = lambda _: Reply(404, REFUSED)
    assert screen("workflow", "get", "lmap").err == "Error: no (code=c, logref=l)\n"


def test_a_suggestion_steers_no_terminal(screen: Run, stub: Stub) -> None:
    """A name of the server with control characters in it is shown, not obeyed."""
    stub.usual = lambda request: Reply(
        *(
            (200, json.dumps({"content": [{"name": "lamp\x1b"}]}).encode())
            if request.path == "/workflows"
            else (404, b"{}")
        )
    )
    assert (
        screen("workflow", "get", "lamp").err
        == 'Error: error: {}\nthere is no workflow "lamp" (did you mean lamp\\x1b?)\n'
    )


@pytest.mark.parametrize(("line", "count", "hint"), MANY)
def test_a_command_for_many_tells_what_may_have_been_meant(
    screen: Run, run: Run, stub: Stub, line: str, count: int, hint: str
) -> None:
    """On a terminal a command for many jobs tells which name there is not, before it changes any; elsewhere no one."""
    Path("jobs.ndjson").write_text(JOBS)
    Path("clients").write_text("a\nb\n")
    stub.usual = answer_for_many(count)
    told = [each for each in screen(*line.split()).err.splitlines() if each.startswith("there is no")]
    assert told == ([hint] if hint else [])
    changed = [seen.headers.get("idempotency-key") for seen in stub.seen]
    asked = [seen.path.startswith("/workflows") for seen in stub.seen]
    if any(asked) and any(changed):
        assert asked.index(True) < next(n for n, key in enumerate(changed) if key)
    stub.seen.clear()
    assert "there is no" not in run(f"--mgmt-port={stub.port}", *line.split()).err
    assert not any(seen.path.startswith("/workflows") for seen in stub.seen)


def test_a_server_with_more_workflows_than_are_looked_at_is_not_contradicted(screen: Run, stub: Stub) -> None:
    """A name that may be on another page of the list is not said to be none."""
    stub.usual = answer_for_many(0, workflows=2)
    assert "there is no" not in screen("job", "delete", "--workflow", "lmap", "--yes").err
    stub.usual = answer_for_many(0, workflows=1)
    assert "there is no" in screen("job", "delete", "--workflow", "lmap", "--yes").err
