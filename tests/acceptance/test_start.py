"""Starting on files that cannot be used: the process ends at once, and says what is wrong, where, and what to do."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from tests.acceptance.clients import BASE, WORKFLOW
from tests.acceptance.disks import remount, small_disk
from tests.store.sqlite.audit import assert_sound
from wfx.demo.local import LocalService
from wfx.store.sqlite.backup import back_up, how_to_restore
from wfx.store.sqlite.migrate import APPLICATION_ID, migrations


def run(folder: Path, *arguments: str) -> tuple[int, str]:
    """Run a command of wfx until it ends by itself; returns its exit status and what it said, errors last."""
    command = [sys.executable, "-m", "wfx", *arguments]
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=30, check=False)
    assert "Traceback" not in ended.stderr
    return ended.returncode, ended.stdout + ended.stderr


def refusal(folder: Path, *options: str) -> str:
    """Start a service that ends by itself with status 1; returns the sentence that it ends with."""
    code, said = run(folder, "--client-port=0", "--mgmt-port=0", "--client-host=127.0.0.1", *options)
    assert code == 1
    assert "listening" not in said
    *_, last = said.splitlines()
    assert last.startswith("Error: ")
    return last


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a hundred jobs, of a service that was stopped."""
    folder = tmp_path_factory.mktemp("filled")
    with LocalService(folder) as service, httpx.Client(base_url=service.north + BASE, trust_env=False) as client:
        client.post("/workflows", json=WORKFLOW).raise_for_status()
        for n in range(100):
            job = {"clientId": f"c{n}", "workflow": WORKFLOW["name"], "definition": {"text": "x" * 300}}
            client.post("/jobs", json=job).raise_for_status()
    return folder / "wfx.db"


def test_patterns_that_are_too_large_together(tmp_path: Path) -> None:
    """Patterns for the log of which each could be used, but not all together, are refused with their place."""
    patterns = [f"{name}=a.{{12}}Z" for name in "abcde"]
    said = refusal(tmp_path, *(f"--log-custom-pattern={pattern}" for pattern in patterns[:-1]))
    assert said.startswith("Error: log-custom-pattern: the patterns together have ")
    assert said.endswith(" (--log-custom-pattern)")
    (tmp_path / "wfx.yml").write_text(f"log-level: debug\nlog-custom-pattern: {json.dumps(patterns)}\n")
    assert refusal(tmp_path).endswith(" (wfx.yml line 2)")


def overwrite(path: Path) -> None:
    """Damage the third page."""
    with path.open("r+b") as file:
        file.seek(2 * 4096)
        file.write(b"\xff" * 100)


def cut_off(path: Path) -> None:
    """Lose the second half."""
    os.truncate(path, path.stat().st_size // 2)


@pytest.mark.parametrize("damage", [overwrite, cut_off])
def test_a_damaged_file(filled: Path, tmp_path: Path, damage: Callable[[Path], None]) -> None:
    """Row 6: on a damaged file the start fails, naming the file and the command that restores a backup; that helps."""
    path = tmp_path / "wfx.db"
    back_up(filled, tmp_path / "BACKUP")
    shutil.copy(filled, path)
    damage(path)
    sentence = refusal(tmp_path)
    assert str(path) in sentence
    assert how_to_restore(path) in sentence
    code, report = run(tmp_path, "check")
    assert code == 1
    assert "wfx.db" in report
    command = sentence.partition("while no server runs: ")[2].partition(", or ")[0]
    subprocess.run(["bash", "-c", command], cwd=tmp_path, check=True, timeout=10)
    with LocalService(tmp_path) as service:
        assert len(httpx.get(f"{service.south}{BASE}/jobs", params={"limit": 1000}).json()["content"]) == 100
    assert_sound(path)


def test_a_newer_database(tmp_path: Path) -> None:
    """Row 8: on the database of a newer program the start fails, naming both versions; the file is left alone."""
    with closing(sqlite3.connect(tmp_path / "wfx.db")) as connection:
        connection.executescript(f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = 4711")
    before = (tmp_path / "wfx.db").read_bytes()
    known = len(migrations())
    assert f"has schema version 4711, but this program knows only up to {known};" in refusal(tmp_path)
    assert (tmp_path / "wfx.db").read_bytes() == before
    assert run(tmp_path, "check")[0] == 1


def test_a_second_service(filled: Path, tmp_path: Path) -> None:
    """Row 9: a second service on the same file ends at once and says why; the first works on."""
    shutil.copy(filled, tmp_path / "wfx.db")
    with LocalService(tmp_path) as first:
        assert "wfx.db is in use by another server; stop that one first" in refusal(tmp_path)
        job = {"clientId": "late", "workflow": WORKFLOW["name"]}
        assert httpx.post(f"{first.north}{BASE}/jobs", json=job).status_code == 201
        assert run(tmp_path, "check")[0] == 0


@pytest.fixture
def places(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk that may not be written, with things in it that are no database."""
    with small_disk(tmp_path, "1m"):
        (tmp_path / "folder").mkdir()
        os.mkfifo(tmp_path / "pipe")
        (tmp_path / "wfx.db").touch()
        (tmp_path / "notes.txt").write_text("remember the milk, and do not overwrite this")
        remount(tmp_path, "ro")
        yield tmp_path


@pytest.mark.parametrize(("name", "reason"), [
    ("wfx.db", "Read-only file system"), ("new.db", "Read-only file system"), ("folder", "Is a directory"),
    ("missing/wfx.db", "there is no directory "), ("notes.txt/wfx.db", "Not a directory"),
])  # fmt: skip
def test_a_place_without_a_database(places: Path, name: str, reason: str) -> None:
    """Row 10: where no database can be, the start fails at once, naming the place."""
    sentence = refusal(places, "--storage-opt", f"file:{places}/{name}")
    assert f"{places}/{name}" in sentence
    assert reason in sentence


def test_a_pipe(tmp_path: Path) -> None:
    """Row 10: a pipe is refused at once, and nobody waits for its other end."""
    os.mkfifo(tmp_path / "pipe")
    assert f"{tmp_path}/pipe is not a regular file" in refusal(tmp_path, "--storage-opt", f"{tmp_path}/pipe")
