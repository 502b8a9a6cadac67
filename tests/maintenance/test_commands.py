"""``wfx check``, ``backup``, ``export`` and ``import`` as typed, beside a running service."""

from __future__ import annotations

import gzip
import json
import os
import pty
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from command_lines import runner

from tests.acceptance.clients import BASE
from wfx.cli import PROGRAM
from wfx.demo.local import LocalService

WORKFLOW = {"name": "w", "states": [{"name": "S"}], "transitions": []}


def wfx(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Type a command."""
    return subprocess.run(
        [sys.executable, "-m", "wfx", *arguments], cwd=folder, env={**os.environ, **environment},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def create(service: LocalService, client: str) -> dict[str, Any]:
    """Create a job."""
    job: dict[str, Any] = (
        httpx.post(f"{service.north}{BASE}/jobs", json={"clientId": client, "workflow": "w"}).raise_for_status().json()
    )
    return job


@contextmanager
def running(folder: Path) -> Iterator[LocalService]:
    """Run a service with a file of its own, and one job."""
    with LocalService(folder) as service:
        httpx.post(f"{service.north}{BASE}/workflows", json=WORKFLOW).raise_for_status()
        create(service, "c")
        yield service


@pytest.fixture
def service(tmp_path: Path) -> Iterator[LocalService]:
    """A service of the test's own."""
    with running(tmp_path) as service:
        yield service


@pytest.fixture(scope="module")
def left_alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalService]:
    """A service for commands that change nothing."""
    with running(tmp_path_factory.mktemp("left-alone")) as service:
        yield service


def test_check_beside_a_service(service: LocalService) -> None:
    """Beside a running service, `wfx check` finds the same file by the same settings, and says that it is sound."""
    shown = wfx(service.folder, "check")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert shown.stdout == "wfx.db is sound (workflows: 1, jobs: 1, history entries: 0, events: 2)\n"
    elsewhere = service.folder / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "wfx.yml").write_text("storage-opt: file:../wfx.db\nclient-port: 9080\n")
    by_variable = {"WFX_STORAGE_OPT": f"file:{service.folder}/wfx.db", "WFX_CLIENT_PORT": "9080"}
    for shown in (wfx(elsewhere, "check"), wfx(service.folder.parent, "check", **by_variable)):
        assert (shown.returncode, shown.stderr) == (0, "")


def test_check_tells_of_losses(service: LocalService) -> None:
    """What a consumer of the log has lost is said by `wfx check`, and the store is sound."""
    service.stop()
    with closing(sqlite3.connect(service.folder / "wfx.db")) as connection:
        connection.execute("INSERT INTO consumer VALUES ('mail', 1, 3, 1200)")
        connection.commit()
    shown = wfx(service.folder, "check")
    assert shown.returncode == 0
    assert shown.stdout.splitlines() == [
        "consumer 'mail' has lost events that were pruned before it had read them: 1,200",
        "wfx.db is sound (workflows: 1, jobs: 1, history entries: 0, events: 2)",
    ]


def test_check_for_machines(service: LocalService) -> None:
    """With --output json the report is one JSON document, and damage makes the exit code 1."""
    service.stop()
    sound = wfx(service.folder, "check", "--output=json")
    assert sound.returncode == 0
    report = json.loads(sound.stdout)
    assert report["sound"] is True
    assert report["examined"] == {"workflow": 1, "job": 1, "history": 0, "event": 2}
    assert (report["log"]["oldest"], report["log"]["newest"]) == (1, 2)
    with closing(sqlite3.connect(service.folder / "wfx.db")) as connection:
        connection.execute("UPDATE event SET seq = 5 WHERE seq = 2")
        connection.commit()
    broken = wfx(service.folder, "check", "--output=json")
    assert broken.returncode == 1
    report = json.loads(broken.stdout)
    assert (report["sound"], report["counts"]) == (False, {"log_gap": 1})
    assert report["findings"] == [
        {"check": "log_gap", "row": "event 5", "expected": "number 2 next", "found": "number 5"}
    ]
    shown = wfx(service.folder, "check")
    assert shown.returncode == 1
    assert shown.stdout.splitlines() == [
        "log_gap: event 5: expected number 2 next; found number 5",
        "wfx.db is NOT sound (findings: 1); docs/operations.md tells what they mean and what to do",
    ]


def test_a_store_moves(service: LocalService, tmp_path: Path) -> None:
    """Beside a running service `wfx export` writes a dump, of which `wfx import` makes a store that serves the same."""
    path = f"{BASE}/jobs/{create(service, 'd')['id']}?history=true"
    job = httpx.get(service.north + path).raise_for_status().json()
    shown = wfx(service.folder, "export", "wfx.jsonl")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert shown.stdout == "wrote wfx.jsonl (workflows: 1, jobs: 2, events: 3, consumers: 0, devices: 0)\n"
    assert (service.folder / "wfx.jsonl").stat().st_mode & 0o777 == 0o600
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    shown = wfx(elsewhere, "import", "../wfx.jsonl")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert shown.stdout == "imported into wfx.db (workflows: 1, jobs: 2, events: 3, consumers: 0, devices: 0)\n"
    assert wfx(elsewhere, "check").returncode == 0
    with LocalService(elsewhere) as other:
        assert httpx.get(other.north + path).json() == job


def test_a_store_moves_through_a_pipe(service: LocalService) -> None:
    """A dump goes through standard output and input, and another database is imported as it is."""
    pipe = 'wfx() { "$PYTHON" -m wfx "$@"; }; wfx export - | wfx import --storage-opt a.db -'
    shown = subprocess.run(
        ["sh", "-c", pipe], cwd=service.folder, env={**os.environ, "PYTHON": sys.executable},
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert (shown.stdout, shown.stderr) == (
        "imported into a.db (workflows: 1, jobs: 1, events: 2, consumers: 0, devices: 0)\n",
        "",
    )
    shown = wfx(service.folder, "import", "--storage-opt=b.db", "a.db")
    assert shown.stdout == "imported into b.db (workflows: 1, jobs: 1, events: 2, consumers: 0, devices: 0)\n"
    (service.folder / "a.db").rename(service.folder / "a?%20#.db")
    shown = wfx(service.folder, "import", "--storage-opt=c.db", "a?%20#.db")
    assert shown.stdout == "imported into c.db (workflows: 1, jobs: 1, events: 2, consumers: 0, devices: 0)\n"
    (service.folder / "a?%20#.db").rename(service.folder / "a.db")
    dumps = [wfx(service.folder, "export", f"--storage-opt={name}.db", "-").stdout for name in ("a", "b")]
    headers = [json.loads(dump.splitlines()[0]) for dump in dumps]
    assert headers[0].pop("logId") != headers[1].pop("logId"), "each import makes a log of its own"
    assert headers[0] == headers[1]
    assert dumps[0].splitlines()[1:-1] == dumps[1].splitlines()[1:-1] != []


def test_many_findings_are_counted(service: LocalService) -> None:
    """Of many findings of one kind ten are shown, and how many more there are."""
    service.stop()
    with closing(sqlite3.connect(service.folder / "wfx.db")) as connection:
        connection.executemany("INSERT INTO job_tag VALUES ('x', ?)", [(n,) for n in range(100, 1300)])
        connection.commit()
    lines = wfx(service.folder, "check").stdout.splitlines()
    assert len(lines) == 12
    assert lines[10] == "orphan_tag: 1,190 more"


@pytest.mark.parametrize(("arguments", "said"), [
    (["check", "--storage-opt=missing.db"], "there is no database file missing.db"),
    (["check", "--storage-opt=:memory:"], "means a database in memory"),
    (
        ["check", "--storage=postgres", "--storage-opt=host=\udcff"],
        "the storage option has bytes that are no UTF-8",
    ),
    (["check", "extra"], 'takes no arguments, but was given "extra"'),
    (["check", "--output=xml"], "must be one of text, json"),
    (["backup", "--storage-opt=file:x?mode=memory", "a.db"], "means a database in memory"),
    (["backup", "--storage-opt=missing.db", "a.db"], "there is no database file missing.db"),
    (["backup"], "takes one argument, the file to write; 0 were given"),
    (["backup", "a", "b"], "takes one argument, the file to write; 2 were given"),
    (["export"], "takes one argument, the file to write, or - for standard output; 0 were given"),
    (["export", "there"], "cannot write there: File exists"),
    (["export", "."], "cannot write .: File exists"),
    (["export", "there/x"], "cannot write there/x: Not a directory"),
    (["export", "x" * 250], ": File name too long"),
    (["export", "no/where"], "cannot write no/where: No such file or directory"),
    (["export", ""], "cannot write .: File exists"),
    (["export", "half"], "cannot write half: half.partial exists, which another wfx is writing"),
    (["export", "--storage-opt=missing.db", "a"], "there is no database file missing.db"),
    (["export", "--storage-opt=:memory:", "a"], "means a database in memory"),
    (["import"], "takes one argument, the dump or database to read, or - for a dump on standard input; 0 were"),
    (["import", "missing"], "cannot read missing: No such file or directory"),
    (["import", "there"], "there, line 1: it "),
    (["import", "--storage-opt=there", "there"], "there"),
    (["import", "--storage-opt=new.db", "/proc/self/mem"], "cannot read /proc/self/mem: Input/output error"),
    (["import", "--storage-opt=new.db", "/dev/zero"], "/dev/zero, line 1: it is not a line of a dump"),
    (["import", "--storage-opt=new.db", "."], "cannot read .: Is a directory"),
    (["backup", "there"], "cannot make the backup there: File exists"),
    (["backup", "no/where.db"], "cannot make the backup no/where.db: No such file or directory"),
])  # fmt: skip
def test_what_is_refused(left_alone: LocalService, arguments: list[str], said: str) -> None:
    """What cannot be done ends with exit code 1 and one sentence, and leaves everything as it was."""
    for name in ("there", "half.partial"):
        (left_alone.folder / name).write_text("precious")
    before = sorted(left_alone.folder.iterdir())
    ended = wfx(left_alone.folder, *arguments)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith("Error: ")
    assert said in ended.stderr
    assert ended.stderr.count("\n") == 1
    assert sorted(left_alone.folder.iterdir()) == before
    assert {(left_alone.folder / name).read_text() for name in ("there", "half.partial")} == {"precious"}


NOWHERE = "postgres://me:s3cret@127.0.0.1:1/fleet"
ADDRESSES = [
    (NOWHERE, "cannot use the database fleet on 127.0.0.1:1: no connection"),
    ("postgresl://me:s3cret@h/d", "the address is wrong: the storage option begins with postgresl://, but a URI of"),
    ("postgresql+asyncpg://me:s3cret@h/d", "the address is wrong: the storage option begins with postgresql+asyncpg://"),
    ("mysql://h/d?password=s3cret", "the address is wrong: the storage option begins with mysql://, but a URI of"),
    ("x?passw%6frd=s3cret", "cannot read x?passw%6frd=***: No such file or directory"),
    ("postgres:/me:s3cret@h/d", "cannot read postgres:***@h/d: No such file or directory"),
    ("me:s3cret@tcp(h)/d", "cannot read me:***@tcp(h)/d: No such file or directory"),
    ("host=h port=s3cret", "the address is wrong: parameter port of the storage option must be a number"),
    ("host=h\udcff password=s3cret", "the address is wrong: the storage option has bytes that are no UTF-8"),
    ("", "an empty text names no dump or database"),
    ("address", "cannot use the database fleet on 127.0.0.1:1: no connection"),
    ("bytes", "bytes is wrong: the storage option has bytes that are no UTF-8"),
    ("packed", "packed is compressed: gunzip -c packed | wfx import -"),
    ("host=file.jsonl", "host=file.jsonl, line 1: it ends here, but the dump is not whole"),
]  # fmt: skip


@pytest.mark.parametrize(("source", "said"), ADDRESSES)
def test_sources_are_what_they_contain(tmp_path: Path, source: str, said: str) -> None:
    """A file is a dump, a database or a file with an address by its content; no message has a password."""
    (tmp_path / "address").write_text(f"{NOWHERE}\n")
    (tmp_path / "bytes").write_bytes(b"host=h password=s3cret user=\xff")
    (tmp_path / "packed").write_bytes(gzip.compress(b"{}"))
    (tmp_path / "host=file.jsonl").touch()
    shown = wfx(tmp_path, "import", source)
    assert shown.returncode == 1
    assert shown.stderr.startswith(f"Error: {said}")
    assert shown.stderr.count("\n") == 1
    assert "s3cret" not in shown.stderr
    assert not (tmp_path / "wfx.db").exists()


def test_a_backup_on_a_full_disk(service: LocalService, tmp_path: Path) -> None:
    """A backup for which there is no room is refused with the reason, and nothing is left of it."""
    service.stop()
    with closing(sqlite3.connect(service.folder / "wfx.db")) as connection:
        connection.execute("INSERT INTO definition VALUES (7, ?)", ("x" * 2_000_000,))
        connection.commit()
    (tmp_path / "disk").mkdir()
    limited = 'ulimit -f 500; exec "$PYTHON" -m wfx backup disk/b.db'
    shown = subprocess.run(
        ["sh", "-c", limited], cwd=service.folder, env={**os.environ, "PYTHON": sys.executable},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert shown.returncode == 1
    assert shown.stderr.startswith("Error: cannot copy wfx.db to disk/b.db: ")
    assert list((tmp_path / "disk").iterdir()) == []


def test_a_dump_without_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line is read up to a bound, for it may have no end (/dev/zero)."""
    monkeypatch.setattr("wfx.transfer.LONGEST_LINE", 1000)
    counts = {"workflows": 1, "jobs": 0, "events": 0, "consumers": 0}
    header = {"kind": "wfx-dump", "format": 1, "logId": "", "horizon": 0, "head": 0, **counts}
    (tmp_path / "zeros").write_bytes(json.dumps(header).encode() + b"\n" + bytes(3000))
    outcome = runner(PROGRAM, tmp_path)("import", str(tmp_path / "zeros"), f"--storage-opt={tmp_path}/wfx.db")
    assert outcome.code == 1
    assert outcome.err == f"Error: {tmp_path}/zeros, line 2: it cannot be read: it has more than 1000 bytes\n"


def test_restore(service: LocalService) -> None:
    """Row 11: a backup is restored as the command says, and the store is as it was when the backup was made.

    Each time the log gets another identity, so that positions on the former log are refused.
    """
    kept = create(service, "kept")
    made = wfx(service.folder, "backup", "nightly.db")
    assert (made.returncode, made.stderr) == (0, "")
    wrote, restore = made.stdout.splitlines()
    assert wrote.startswith("wrote nightly.db (")
    lost = create(service, "lost")
    positions = {position_of(service)}
    for _ in range(2):
        service.stop()
        subprocess.run(["bash", "-c", restore.partition(": ")[2]], cwd=service.folder, check=True, timeout=10)
        service.start()
        assert httpx.get(f"{service.north}{BASE}/jobs/{kept['id']}").status_code == 200
        assert httpx.get(f"{service.north}{BASE}/jobs/{lost['id']}").status_code == 404
        for position in positions:
            refused = httpx.get(f"{service.north}{BASE}/jobs/events", params={"since": position, "limit": 1})
            assert refused.status_code == 409
        create(service, "new")
        create(service, "new")
        positions.add(position_of(service))
        assert wfx(service.folder, "check").returncode == 0
    assert len(positions) == 3


def position_of(service: LocalService) -> str:
    """Return where the log of the service ends."""
    page = (
        httpx.get(
            f"{service.north}{BASE}/jobs/events",
            params={"since": "0", "limit": 100},
            headers={"Accept": "application/json"},
        )
        .raise_for_status()
        .json()
    )
    return str(page["next"])


def test_a_terminal_shows_progress(service: LocalService) -> None:
    """On a terminal a bar shows what is being done, and is gone when the report comes."""
    shutil.copy(service.folder / "wfx.db", service.folder / "copy.db")
    for arguments, last in (
        (["check"], "wfx.db is sound"),
        (["backup", "b.db"], "to restore a backup"),
        (["export", "b.jsonl"], "wrote b.jsonl"),
        (["import", "--storage-opt=c.db", "b.jsonl"], "imported into c.db"),
    ):
        terminal, theirs = pty.openpty()
        process = subprocess.Popen(
            [sys.executable, "-m", "wfx", *arguments], cwd=service.folder, stdout=subprocess.PIPE, stderr=theirs,
            env={**os.environ, "TERM": "xterm", "COLUMNS": "100"}, text=True,
        )  # fmt: skip
        os.close(theirs)
        drawn = b""
        while chunk := read(terminal):
            drawn += chunk
        os.close(terminal)
        out, _ = process.communicate(timeout=30)
        assert process.returncode == 0
        assert "━".encode() in drawn
        assert drawn.rstrip().endswith(b"\x1b[2K"), "the bar is wiped"
        assert last in out


def read(terminal: int) -> bytes:
    """Read what was drawn; nothing when the other end is closed."""
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""
