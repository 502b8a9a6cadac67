"""``--resume`` and ``--results``: what was cut off, edited, or belongs to something else does no harm."""

from __future__ import annotations

import base64
import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from command_lines import Outcome
from wfxctl_stub import Reply, Seen, Stub

from tests.wfxctl.test_bulk import Bulk, changes
from wfxctl import bulk, bulk_changes, resume_token
from wfxctl.resume_token import BulkProgress
from wfxctl.stream import Backoff

Run = Callable[..., Outcome]
DELETE = ("job", "delete", "--tag", "t", "--yes")
ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Backoff, "wait", lambda _: 0.01)
    monkeypatch.setattr(bulk_changes, "CHUNK", 3)


@pytest.fixture
def token(north: Run, stub: Stub) -> str:
    """What a command printed that stopped behind its first part of three jobs, one of which failed."""
    Bulk(stub, 7, bad=(1,))
    outcome = north(*DELETE)
    assert outcome.code == 6
    stub.seen.clear()
    return outcome.err.split()[-1]


def sealed(*values: Any) -> str:
    """A token with any content, whose sum is right."""
    content = json.dumps(values).encode()
    return base64.urlsafe_b64encode(resume_token._sum(content) + content).decode().rstrip("=")


GOOD = BulkProgress("d1", "k1", "a1", 1e9, 1, 1, 0, 5, "MQ")


def test_a_token_comes_back_whole() -> None:
    """What is printed is what is read."""
    assert resume_token.read(GOOD.token) == GOOD


@pytest.mark.parametrize("wrong", [
    "", "x", "é", "=", "AAAA", GOOD.token[:-1], GOOD.token[1:], GOOD.token[:20], GOOD.token.swapcase(), GOOD.token * 2,
    sealed(), sealed(*[0] * 9), sealed("d", "k\r\nX: 1", "a", 1.0, 1, 1, 0, 5, ""),
    sealed("d", "k", "a", float("inf"), 1, 1, 0, 5, ""), sealed("d", "k", "a", float("nan"), 1, 1, 0, 5, ""),
    sealed("d", "k", "a", 1e300, 1, 1, 0, 5, ""), sealed("d", "k", "a", -1.0, 1, 1, 0, 5, ""),
    sealed("d", "k", "a", 1.0, -1, 1, 0, 5, ""), sealed("d", "k", "a", 1.0, 1, 1, 0, 10**400, ""),
    sealed("d", "k", "a", 1.0, True, 1, 0, 5, ""), sealed("d", "k", "a", 1.0, 1, 1, 0, 5, "a b"),
    base64.urlsafe_b64encode(b"0000" + b"[" * 100_000).decode(),
])  # fmt: skip
def test_a_token_that_is_not_whole(north: Run, stub: Stub, wrong: str) -> None:
    """A token that was cut off or edited is refused in one line, before anything is asked."""
    outcome = north("--strict", *DELETE, f"--resume={wrong}")
    assert (outcome.code, stub.seen) == (2, [])
    assert outcome.err.splitlines()[-1] == (
        "Error: --resume takes what a command that broke off printed, whole and as it is"
    )


def test_another_database(north: Run, stub: Stub, token: str) -> None:
    """A command is not resumed at a server with another database: there, other jobs would match."""
    usual = stub.usual

    def other(request: Seen) -> Reply:
        reply = usual(request)
        return Reply(body=json.dumps(json.loads(reply.body) | {"position": "otherlog-1"}).encode())

    stub.usual = other
    outcome = north(*DELETE, "--resume", token)
    assert (outcome.code, changes(stub)) == (1, [])
    assert "another server, or to another database" in outcome.err


def test_the_day_after(north: Run, stub: Stub, token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the server has forgotten cannot be resumed: its last part might be done twice."""
    monkeypatch.setattr(bulk, "_KEPT", -1.0)
    outcome = north(*DELETE, "--resume", token)
    assert (outcome.code, stub.seen) == (1, [])
    assert "more than 24 hours ago" in outcome.err


def test_a_dry_run_is_not_resumed(north: Run, stub: Stub, token: str) -> None:
    """``--dry-run`` beside ``--resume`` is a mistake, and changes nothing."""
    outcome = north(*DELETE, "--dry-run", "--resume", token)
    assert (outcome.code, stub.seen) == (1, [])


HEADING = "client,id,outcome,state,code,message\n"


@pytest.mark.parametrize(("name", "content", "told"), [
    ("r.csv", "a,b\n1,2\n", "is not a file of results"),
    ("r.csv", HEADING + "c0,1,del", "ends in the middle of a row"),
    ("r.ndjson", '{"clientId": "c0"}\n', "is not a file of results"),
    ("r.ndjson", "no json\n", "is not a file of results"),
    ("r.ndjson", '{"clientId": "c0", "outcome": "deleted"}\n{"cl', "ends in the middle of a row"),
    ("r.csv", "\x00" * 2_000_000 + "\n", "is not a file of results"),
])  # fmt: skip
def test_a_file_of_something_else(
    north: Run, stub: Stub, token: str, tmp_path: Path, name: str, content: str, told: str
) -> None:
    """Nothing is added to a file that is not one of results, or is cut off, and nothing is changed then."""
    (tmp_path / name).write_text(content)
    outcome = north(*DELETE, "--continue-on-error", "--resume", token, "--results", name)
    assert (outcome.code, changes(stub)) == (1, [])
    assert told in outcome.err
    assert (tmp_path / name).read_text() == content


@pytest.mark.parametrize(("name", "before"), [
    ("r.csv", HEADING + "c0,1,deleted,,,\n"), ("r.ndjson", '{"clientId":"c0","outcome":"deleted"}\n'), ("r.csv", ""),
    ("r.csv", None),
])  # fmt: skip
def test_a_file_of_results_goes_on(
    north: Run, stub: Stub, token: str, tmp_path: Path, name: str, before: str | None
) -> None:
    """A file of results gets the rest of the rows; a new one has a heading."""
    if before is not None:
        (tmp_path / name).write_text(before)
    assert north(*DELETE, "--continue-on-error", "--resume", token, "--results", name).code == 6
    rows = (tmp_path / name).read_text()
    assert rows.startswith(before or HEADING)
    assert len(rows.splitlines()) == len((before or HEADING).splitlines()) + 4
    assert len(changes(stub)) == 2


def test_a_list_is_not_written_over(north: Run, stub: Stub, tmp_path: Path) -> None:
    """The file of results is not the one that the clients are read from, whatever it is called."""
    (tmp_path / "c.csv").write_text("c0\nc1\n")
    for results in ("c.csv", str(tmp_path / "c.csv"), "./c.csv"):
        outcome = north("job", "create", "--clients-from", "c.csv", "--workflow", "w", "--results", results)
        assert (outcome.code, stub.seen) == (1, [])
        assert "is the file that is read" in outcome.err
    assert (tmp_path / "c.csv").read_text() == "c0\nc1\n"


def test_a_full_disk(stub: Stub, tmp_path: Path) -> None:
    """Where the file of results has no room left it ends with whole rows, and resumed, none is there twice."""
    Bulk(stub, 2000)
    line = [sys.executable, "-m", "wfxctl", f"--mgmt-port={stub.port}", *DELETE, "--results", "r.csv"]

    def run(*more: str, most: int | None) -> subprocess.CompletedProcess[str]:
        def limited() -> None:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            if most is not None:
                resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))

        return subprocess.run(
            [*line, *more], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, text=True, capture_output=True,
            timeout=60, check=False, preexec_fn=limited,
        )  # fmt: skip

    ran = run(most=10_100)
    assert (ran.returncode, json.loads(ran.stdout)["done"]) == (1, 500)
    assert "cannot write r.csv: File too large" in ran.stderr
    assert len((tmp_path / "r.csv").read_text().splitlines()) == 501
    ran = run("--resume", ran.stderr.split()[-1], most=None)
    assert (ran.returncode, json.loads(ran.stdout)["done"]) == (0, 2000)
    rows = (tmp_path / "r.csv").read_text().splitlines()[1:]
    assert [row.split(",")[0] for row in rows] == [f"c{n}" for n in range(2000)]
