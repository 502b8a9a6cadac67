"""Commands for many jobs: selections, questions, chunks that go on, results."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from command_lines import Outcome
from wfxctl_stub import Reply, Seen, Stub

from wfx.client.errors import NO_FLEET_API
from wfx.commandline.failures import EXIT_INTERRUPTED
from wfxctl import bulk, bulk_changes, main
from wfxctl.stream import Backoff

Run = Callable[..., Outcome]
DELETE = ("job", "delete", "--tag", "t")


class Bulk:
    """Answers as the fleet API does, for so many jobs; the jobs whose numbers are in ``bad`` fail."""

    def __init__(self, stub: Stub, count: int, bad: tuple[int, ...] = ()) -> None:
        """Answer the stub's requests from now on."""
        self.count, self.bad = count, bad
        self.kept: dict[str, Reply] = {}
        self.lose: set[int] = set()
        """Which requests are carried out, but answered 503."""
        self.sent = 0
        self.together = 10_000
        """Jobs that a request is about unless it says so."""
        self.workflows: dict[str, list[str]] = {}
        """Those that the jobs follow, with their states."""
        stub.usual = self.answer

    def answer(self, request: Seen) -> Reply:
        """Carry out a request once for its key."""
        if request.method == "GET":
            counts = [{"workflow": name} for name in self.workflows]
            states = [{"name": name} for name in self.workflows.get(request.path.rpartition("/")[2], ())]
            return Reply(body=json.dumps({"counts": counts, "states": states}).encode())
        body = request.json
        if body.get("dryRun"):
            return Reply(body=json.dumps(self._seen(body)).encode())
        self.sent += 1
        reply = self.kept.setdefault(request.headers["idempotency-key"], self._done(body))
        return Reply(503, b"later") if self.sent in self.lose else reply

    def _seen(self, body: Any) -> dict[str, Any]:
        """Look at the jobs of the request, those that would fail first."""
        if "jobs" in body:
            return {"count": len(body["jobs"]), "items": [{"clientId": f"c{n}"} for n in range(min(self.count, 20))]}
        start = int(body.get("after", "0"))
        stop = min(start + body.get("limit", self.together), self.count)
        failing = [n for n in range(start, stop) if n in self.bad]
        items: list[dict[str, Any]] = [{"clientId": f"c{n}", "outcome": "failed"} for n in failing]
        items += [{"clientId": f"c{n}"} for n in range(start, stop) if n not in failing]
        more = {"next": str(stop)} if stop < self.count else {}
        return {"count": self.count - start, "failed": len(failing), "items": items[:20]} | more

    def _done(self, body: Any) -> Reply:
        start = int(body.get("after", "0"))
        stop = min(start + body.get("limit", bulk_changes.CHUNK), self.count)
        rows = [job["clientId"] for job in body["jobs"]] if "jobs" in body else [f"c{n}" for n in range(start, stop)]
        items: list[dict[str, Any]] = [{"id": "1", "clientId": row, "outcome": "deleted"} for row in rows]
        for item in items:
            if int(item["clientId"][1:]) in self.bad:
                item |= {"outcome": "failed", "error": {"code": "wfx.x", "message": "it is stuck"}}
        rest = (
            {} if "jobs" in body else {"rest": self.count - stop} | ({"next": str(stop)} if stop < self.count else {})
        )
        return Reply(body=json.dumps({"rest": 0, "items": items} | rest).encode())


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Backoff, "wait", lambda _: 0.01)
    monkeypatch.setattr(bulk_changes, "CHUNK", 3)


def changes(stub: Stub) -> list[Seen]:
    """The requests that change something."""
    return [request for request in stub.seen if "idempotency-key" in request.headers]


def test_a_selection_is_deleted_in_chunks(north: Run, stub: Stub) -> None:
    """Each chunk has a key of its own, goes on behind the one before, and expects what is left and no more."""
    Bulk(stub, 7)
    outcome = north(*DELETE, "--group", "CLOSED,FAILED", "--client-prefix", "c", "--state", "S", "--yes")
    assert (outcome.code, json.loads(outcome.out)) == (0, {"done": 7, "failed": 0, "rest": 0})
    sent = changes(stub)
    assert [(each.json.get("after"), each.json["expect"]) for each in sent] == [(None, 7), ("3", 4), ("6", 1)]
    assert len({each.headers["idempotency-key"] for each in sent}) == 3
    assert {each.path for each in sent} == {"/api/fleet/v1/jobs:delete"}
    selection = {"tag": ["t"], "group": ["CLOSED", "FAILED"], "clientIdPrefix": "c", "state": "S"}
    assert all(each.json["selection"] == selection for each in sent)


def test_ages_are_moments(north: Run, stub: Stub) -> None:
    """``--older-than`` and ``--stale`` count back from one moment, the same in all chunks."""
    Bulk(stub, 7)
    assert north(*DELETE, "--older-than", "30d", "--stale", "1d12h", "--yes").code == 0
    (selection,) = {json.dumps(each.json["selection"]) for each in changes(stub)}
    assert set(json.loads(selection)) == {"tag", "createdBefore", "modifiedBefore"}


@pytest.mark.parametrize(
    ("words", "path", "members"),
    [
        (["update-status", "--state", "S", "--message", "m"], "update", {"status": {"state": "S", "message": "m"}}),
        (["update-status", "--state", "S", "--progress", "0"], "update", {"status": {"state": "S", "progress": 0}}),
        (["add-tags", "a", "b"], "tag", {"add": ["a", "b"]}),
        (["del-tags", "a"], "tag", {"remove": ["a"]}),
    ],
)
def test_what_is_asked_for(north: Run, stub: Stub, words: list[str], path: str, members: dict[str, Any]) -> None:
    """Status and tags are sent as the command line has them, to the path for them."""
    Bulk(stub, 1)
    assert north("job", *words, "--tag", "t", "--yes").code == 0
    (sent,) = changes(stub)
    assert sent.path == f"/api/fleet/v1/jobs:{path}"
    assert {name: sent.json[name] for name in members} == members


def test_a_dry_run_changes_nothing(north: Run, stub: Stub) -> None:
    """``--dry-run`` tells the exact count and the first jobs, and sends no change."""
    Bulk(stub, 7)
    outcome = north(*DELETE, "--dry-run")
    assert (outcome.code, json.loads(outcome.out)["count"], changes(stub)) == (0, 7, [])
    assert json.loads(outcome.out)["first"][0] == {"clientId": "c0"}


def test_a_dry_run_looks_at_all_jobs(north: Run, stub: Stub) -> None:
    """Jobs that could not be changed are counted also beyond those of one request, shown first, and the code is 6."""
    Bulk(stub, 7, bad=(1, 6)).together = 3
    outcome = north(*DELETE, "--dry-run")
    told = json.loads(outcome.out)
    assert (outcome.code, told["count"], told["failed"], changes(stub)) == (6, 7, 2, [])
    assert [each["clientId"] for each in told["first"]] == ["c1", "c6", "c0", "c2", "c3", "c4", "c5"]


MOVE = ("job", "update-status", "--tag", "t,u", "--from-state", "DIM", "--state")


def test_a_state_that_no_job_can_have_is_refused_once(north: Run, stub: Stub) -> None:
    """A state that no workflow of the jobs has ends the command before any job is tried, and others are named."""
    bulk = Bulk(stub, 7)
    bulk.workflows = {"lamp": ["DIM", "BRIGHT"], "pump": ["ON"]}
    for how in ("--yes", "--dry-run"):
        outcome = north(*MOVE, "BRIGTH", how)
        told = 'Error: no job of these can be in a state "BRIGTH" (did you mean BRIGHT?); there are DIM, BRIGHT, ON\n'
        assert (outcome.code, outcome.out, outcome.err) == (1, "", told)
    asked = [(seen.method, seen.path, seen.query) for seen in stub.seen[:3]]
    assert asked == [
        ("GET", "/api/fleet/v1/jobs/summary", [("state", "DIM"), ("tag", "t,u")]),
        ("GET", "/workflows/lamp", []), ("GET", "/workflows/pump", []),
    ]  # fmt: skip
    assert {seen.method for seen in stub.seen} == {"GET"}
    assert json.loads(north(*MOVE, "ON", "--yes").out)["done"] == 7


def test_workflows_that_cannot_be_read_are_no_obstacle(north: Run, stub: Stub) -> None:
    """Where the server does not show the workflows, or the jobs have very many, each job is told of by the server."""
    bulk = Bulk(stub, 2)
    bulk.workflows = {f"w{n}": ["A"] for n in range(21)}
    assert north(*MOVE, "TYPO", "--yes").code == 0
    bulk.workflows = {"w": ["A"]}
    stub.usual = lambda request: Reply(403) if request.path.startswith("/workflows") else bulk.answer(request)
    assert north(*MOVE, "TYPO", "--yes").code == 0


class _Terminal(BytesIO):
    def isatty(self) -> bool:
        return True


def test_a_dry_run_of_creations_tells_what_would_fail(north: Run, stub: Stub) -> None:
    """Of all parts those that would fail are counted, the first of them are shown, and the exit code is 6."""
    parts = iter([(3, 0), (3, 2), (1, 1)])

    def answer(_: Seen) -> Reply:
        count, failed = next(parts)
        shown = [{"clientId": "bad" if n < failed else "good"} for n in range(count)]
        return Reply(body=json.dumps({"count": count, "failed": failed, "items": shown}).encode())

    stub.usual = answer
    line = ("job", "create", "--clients-from", "-", "--workflow", "w", "--dry-run")
    outcome = north(*line, stdin=b"1\n2\n3\n4\n5\n6\n7")
    told = json.loads(outcome.out)
    assert (outcome.code, told["count"], told["failed"], changes(stub)) == (6, 7, 3, [])
    assert [each["clientId"] for each in told["first"]] == ["bad", "bad", "good"]


@pytest.mark.parametrize(("words", "question"), [
    (("update-status", "--state", "S"), "move 3 jobs to S ("), (("add-tags", "x"), "tag 3 jobs ("),
    (("del-tags", "x"), "remove tags from 3 jobs ("),
])  # fmt: skip
def test_a_question_says_what_becomes_of_the_jobs(stub: Stub, words: tuple[str, ...], question: str) -> None:
    """What is asked is a sentence with the number of the jobs, and what they are to get."""
    Bulk(stub, 3)
    out, err = _Terminal(), _Terminal()
    line = [f"--mgmt-port={stub.port}", "job", words[0], "--tag", "t", *words[1:]]
    main.run(line, _Terminal(b"n\n"), out, err, {"NO_COLOR": "1"})
    assert question in err.getvalue().decode()


def test_no_bar_is_drawn_for_nothing(stub: Stub) -> None:
    """Where no job matches, a terminal gets the counts and no bar."""
    Bulk(stub, 0)
    out, err = _Terminal(), _Terminal()
    assert main.run([f"--mgmt-port={stub.port}", *DELETE, "--yes"], _Terminal(), out, err, {"NO_COLOR": "1"}) == 0
    assert b"\x1b" not in err.getvalue()


def test_without_a_terminal_yes_is_needed(north: Run, stub: Stub) -> None:
    """Where nobody can be asked, nothing is changed without ``--yes``, and the command says so; usage with --strict."""
    Bulk(stub, 5012)
    outcome = north(*DELETE)
    assert (outcome.code, outcome.out, changes(stub)) == (1, "", [])
    assert "5,012 jobs" in outcome.err
    assert "--yes" in outcome.err
    assert north(*DELETE, "--strict").code == 2


@pytest.mark.parametrize(("answer", "sent"), [(b"y\n", 1), (b"\n", 0), (b"no\n", 0), (b"", 0)])
def test_a_person_is_asked(stub: Stub, answer: bytes, sent: int) -> None:
    """On a terminal the question names count and first clients; anything but yes changes nothing."""
    Bulk(stub, 3)
    out, err = _Terminal(), _Terminal()
    code = main.run([f"--mgmt-port={stub.port}", *DELETE], _Terminal(answer), out, err, {"NO_COLOR": "1"})
    assert "delete 3 jobs (c0, c1, c2)? [y/N] " in err.getvalue().decode()
    assert (code, len(changes(stub))) == (1 - sent, sent)


def test_a_lost_answer_is_asked_for_again(north: Run, stub: Stub) -> None:
    """A chunk whose answer is lost is sent again as it was, with the same key, and counts once."""
    Bulk(stub, 7).lose = {2}
    outcome = north(*DELETE, "--yes")
    assert (outcome.code, json.loads(outcome.out)["done"], outcome.err.count("connection lost")) == (0, 7, 1)
    _, lost, again, _ = changes(stub)
    assert (lost.body, lost.headers["idempotency-key"]) == (again.body, again.headers["idempotency-key"])


def test_failures_stop_it_unless_told_otherwise(north: Run, stub: Stub) -> None:
    """Behind a chunk with failures it stops, exit code 6, and ``--resume`` does the rest."""
    Bulk(stub, 7, bad=(1, 5))
    outcome = north(*DELETE, "--yes")
    assert (outcome.code, json.loads(outcome.out)) == (6, {"done": 2, "failed": 1, "rest": 4})
    assert "c1: it is stuck" in outcome.err
    token = outcome.err.split()[-1]
    outcome = north(*DELETE, "--yes", "--continue-on-error", "--resume", token)
    assert (outcome.code, json.loads(outcome.out)) == (6, {"done": 5, "failed": 2, "rest": 0})
    assert len(changes(stub)) == 3


def test_another_command_is_not_resumed(north: Run, stub: Stub) -> None:
    """``--resume`` of a command with other conditions is refused before anything is sent."""
    Bulk(stub, 7, bad=(1,))
    token = north(*DELETE, "--yes").err.split()[-1]
    seen = len(stub.seen)
    outcome = north(*DELETE, "--group", "OPEN", "--yes", "--resume", token)
    assert (outcome.code, len(stub.seen)) == (1, seen)
    assert "of another command" in outcome.err


def test_ctrl_c_tells_how_to_go_on(north: Run, stub: Stub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Interrupted, it says what is done; resumed, the chunk in doubt has the same key, and no result is there twice."""
    fleet, fetch, calls = Bulk(stub, 7), bulk._Work._carried_out, 0

    def interrupted(work: Any, body: bytes) -> str:
        nonlocal calls
        calls += 1
        answer = fetch(work, body)
        if calls == 2:
            raise KeyboardInterrupt
        return answer

    monkeypatch.setattr(bulk._Work, "_carried_out", interrupted)
    line = (*DELETE, "--yes", "--results", str(tmp_path / "r.csv"))
    outcome = north(*line)
    assert (outcome.code, json.loads(outcome.out)) == (EXIT_INTERRUPTED, {"done": 3, "failed": 0, "rest": 4})
    assert "interrupted\n3 deleted, 0 failed, 4 left\n" in outcome.err
    outcome = north(*line, "--resume", outcome.err.split()[-1])
    assert (outcome.code, json.loads(outcome.out), len(fleet.kept)) == (0, {"done": 7, "failed": 0, "rest": 0}, 3)
    rows = (tmp_path / "r.csv").read_text().splitlines()
    assert rows == ["client,id,outcome,state,code,message", *(f"c{n},1,deleted,,," for n in range(7))]


def test_a_selection_that_grew_stops_it(north: Run, stub: Stub) -> None:
    """If more jobs match than were counted, nothing more is changed; the message has the number, and what helps."""
    Bulk(stub, 7)
    usual = stub.usual
    stub.usual = lambda request: (
        usual(request) if request.json.get("dryRun") else Reply(412, b'{"errors": [], "count": 5100}')
    )
    outcome = north(*DELETE, "--yes")
    assert (outcome.code, json.loads(outcome.out)["done"]) == (1, 0)
    assert "more jobs match now" in outcome.err
    assert "5,100" in outcome.err
    assert "run the command again, without --resume" in outcome.err
    assert "the same command once more" not in outcome.err


def test_one_definition_for_many_clients(north: Run, stub: Stub, tmp_path: Path) -> None:
    """``--clients-from -`` creates a job for each line, with what they have in common sent once a chunk."""
    Bulk(stub, 0)
    (tmp_path / "d.json").write_text('{"v": 1}')
    line = ("job", "create", "--clients-from", "-", "--workflow", "w", "--tag", "t", str(tmp_path / "d.json"))
    outcome = north(*line, stdin=b"c0\r\nc1\n\nc2\nc3")
    assert (outcome.code, json.loads(outcome.out)) == (0, {"done": 4, "failed": 0, "rest": 0})
    first, second = (each.json for each in changes(stub))
    assert first == {
        "definition": {"v": 1}, "tags": ["t"], "workflow": "w", "jobs": [{"clientId": f"c{n}"} for n in range(3)],
    }  # fmt: skip
    assert second["jobs"] == [{"clientId": "c3"}]


def test_a_retry_of_many_keeps_all_tags(north: Run, stub: Stub) -> None:
    """Tags that a request cannot carry are added to the new jobs before their part counts as done, also resumed."""
    fleet, tags = Bulk(stub, 0), [f"t{n:02}" for n in range(20)]
    rows = [{"id": str(n), "clientId": f"c{n}"} for n in range(4)]
    refuse = {"/jobs/new-2/tags"}

    def answer(request: Seen) -> Reply:
        *_, last = request.path.split("/")
        if last == "tags":
            return Reply(403) if request.path in refuse else Reply(body=b"[]")
        if request.path.endswith("jobs:batch"):
            answer = json.loads(fleet.answer(request).body)
            created = [item | {"id": f"new-{item['clientId'][1:]}", "outcome": "created"} for item in answer["items"]]
            return Reply(body=json.dumps(answer | {"items": created}).encode())
        if last == "jobs":
            return Reply(body=json.dumps({"content": rows, "position": "a-1"}).encode())
        many = tags if int(last) % 2 == 0 else tags[:16]
        return Reply(body=json.dumps({"clientId": f"c{last}", "workflow": {"name": "w"}, "tags": many}).encode())

    stub.usual = answer
    line = ("job", "retry", "--tag", "t", "--yes")
    outcome = north(*line)
    assert (outcome.code, json.loads(outcome.out)) == (1, {"done": 0, "failed": 0, "rest": 4})
    token = outcome.err.split("--resume ")[1].split()[0]
    refuse.clear()
    assert json.loads(north(*line, "--resume", token).out) == {"done": 4, "failed": 0, "rest": 0}
    added = [(seen.path, seen.json) for seen in stub.seen if seen.path.endswith("/tags")]
    assert [path.split("/")[2] for path, _ in added] == ["new-0", "new-2", "new-0", "new-2"]
    assert all(names == tags[16:] for _, names in added)
    assert len({seen.headers["idempotency-key"] for seen in changes(stub)}) == 2


def test_a_retry_reads_each_job_once_and_none_to_count_them(north: Run, stub: Stub) -> None:
    """``job retry --dry-run`` lists jobs and reads none; the retry reads each once, and leaves out empty tags."""
    fleet = Bulk(stub, 0)
    rows = [{"id": str(n), "clientId": f"c{n}"} for n in range(5)]

    def answer(request: Seen) -> Reply:
        number = request.path.rpartition("/")[2]
        if request.method == "POST":
            return fleet.answer(request)
        if number == "jobs":
            return Reply(body=json.dumps({"content": rows, "position": "a-1"}).encode())
        job = {"clientId": f"c{number}", "workflow": {"name": "w"}, "tags": ["", "t"], "definition": {"n": int(number)}}
        return Reply(body=json.dumps(job).encode())

    stub.usual = answer
    outcome = north("job", "retry", "--tag", "t", "--dry-run")
    assert (outcome.code, json.loads(outcome.out)) == (0, {"count": 5, "failed": 0, "first": rows})
    assert [seen.path for seen in stub.seen] == ["/api/fleet/v1/jobs"]
    stub.seen.clear()
    assert json.loads(north("job", "retry", "--tag", "t", "--yes").out) == {"done": 5, "failed": 0, "rest": 0}
    read = [seen.path.rpartition("/")[2] for seen in stub.seen if seen.method == "GET"]
    assert read == ["jobs", "0", "1", "2", "3", "4"]
    sent = [job for each in changes(stub) for job in each.json["jobs"]]
    assert sent == [{"clientId": f"c{n}", "workflow": "w", "tags": ["t"], "definition": {"n": n}} for n in range(5)]


def test_an_older_server_is_named(north: Run, stub: Stub) -> None:
    """A server without bulk requests is said to be older."""
    for reply in (Reply(404, b""), Reply(404, b"404 page not found\n"), Reply(405, b"")):
        stub.replies.append(reply)
        assert north(*DELETE, "--yes").err == f"Error: {NO_FLEET_API}\n"
    stub.replies.append(Reply(404, b""))
    assert NO_FLEET_API in north("job", "retry", "--tag", "t", "--yes").err
    stub.replies.append(Reply(404, b""))
    assert NO_FLEET_API in north("job", "query", "--stale", "1h").err


def test_variables_make_no_selection(north: Run, stub: Stub) -> None:
    """What stands in variables chooses no jobs: the single form stays what it is."""
    stub.replies.append(Reply(204, b""))
    assert north("job", "delete", "7", env={"WFX_STATE": "S", "WFX_WORKFLOW": "w"}).code == 0
    assert (stub.one.method, stub.one.path) == ("DELETE", "/jobs/7")
