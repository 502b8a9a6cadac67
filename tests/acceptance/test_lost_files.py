"""Files of the database that are taken away from the running service: what its clients are told, and how it ends."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.acceptance.clients import BASE, WORKFLOW
from tests.acceptance.disks import small_disk, take_away
from tests.store.sqlite.audit import assert_sound
from wfx.demo.local import LocalService
from wfx.store.sqlite.backup import back_up, how_to_restore

DEADLINE = 60.0
JOBS = 30


def removed(ending: str) -> Callable[[Path], None]:
    """Remove a file."""
    return lambda path: Path(f"{path}{ending}").unlink()


def renamed(ending: str) -> Callable[[Path], None]:
    """Give a file another name."""
    return lambda path: shutil.move(f"{path}{ending}", f"{path}{ending}.away")


def replaced(ending: str) -> Callable[[Path], None]:
    """Put a copy into the place of a file."""

    def replace(path: Path) -> None:
        shutil.copy(f"{path}{ending}", f"{path}.copy")
        Path(f"{path}.copy").replace(f"{path}{ending}")

    return replace


def cut_off(ending: str, share: float) -> Callable[[Path], None]:
    """Leave a part of a file."""
    return lambda path: os.truncate(f"{path}{ending}", int(Path(f"{path}{ending}").stat().st_size * share))


def directory_renamed(path: Path) -> None:
    """Give the directory another name."""
    path.parent.rename(path.parent.with_name("elsewhere"))


def directory_removed(path: Path) -> None:
    """Remove the directory with all that is in it."""
    shutil.rmtree(path.parent)


def restored(path: Path) -> None:
    """Restore a backup as if no server ran."""
    back_up(path, path.with_name("BACKUP"))
    subprocess.run(["bash", "-c", how_to_restore(path).partition(": ")[2]], cwd=path.parent, check=True, timeout=10)


def overwritten(more: int) -> Callable[[Path], None]:
    """Copy a backup over the database, in place, with so many more bytes in it."""

    def overwrite(path: Path) -> None:
        copy = path.with_name("BACKUP")
        back_up(path, copy)
        with closing(sqlite3.connect(copy, isolation_level=None)) as connection:
            connection.execute("CREATE TABLE other (content)")
            connection.execute("INSERT INTO other VALUES (zeroblob(?))", (more,))
        shutil.copyfile(copy, path)

    return overwrite


def overwritten_by_itself(path: Path) -> None:
    """Write over the database, in place, without changing its length."""
    path.write_bytes(path.read_bytes())


LOSSES: dict[str, tuple[Callable[[Path], None], str]] = {
    "removed": (removed(""), "wfx.db, which the service was using, is gone"),
    "log removed": (removed("-wal"), "wfx.db-wal, which the service was using, is gone"),
    "index removed": (removed("-shm"), "wfx.db-shm, which the service was using, is gone"),
    "renamed": (renamed(""), "wfx.db, which the service was using, is gone"),
    "log renamed": (renamed("-wal"), "wfx.db-wal, which the service was using, is gone"),
    "replaced": (replaced(""), "another file has taken the place of"),
    "log replaced": (replaced("-wal"), "another file has taken the place of"),
    "index replaced": (replaced("-shm"), "another file has taken the place of"),
    "emptied": (cut_off("", 0), "wfx.db was cut off to 0 bytes"),
    "cut off": (cut_off("", 0.5), "wfx.db was cut off to"),
    "log emptied": (cut_off("-wal", 0), "wfx.db-wal was cut off to 0 bytes"),
    "log cut off": (cut_off("-wal", 0.5), "wfx.db-wal was cut off to"),
    "directory renamed": (directory_renamed, "wfx.db, which the service was using, is gone"),
    "directory removed": (directory_removed, "wfx.db, which the service was using, is gone"),
    "restored": (restored, "another program has written to"),
    "overwritten by a larger file": (overwritten(4_000_000), "another program has written to"),
    "overwritten at the same length": (overwritten_by_itself, "another program has written to"),
}


@pytest.fixture
def service(tmp_path: Path) -> Iterator[LocalService]:
    """A service with a directory and some jobs of its own."""
    (tmp_path / "data").mkdir()
    running = LocalService(tmp_path, f"--storage-opt={tmp_path}/data/wfx.db")
    with running:
        httpx.post(f"{running.north}{BASE}/workflows", json=WORKFLOW).raise_for_status()
        for number in range(JOBS):
            assert create(running, f"c{number}").status_code == 201
        yield running


def create(service: LocalService, client: str) -> httpx.Response:
    """Create a job."""
    job = {"clientId": client, "workflow": WORKFLOW["name"], "definition": {"text": "x" * 3000}}
    return httpx.post(f"{service.north}{BASE}/jobs", json=job, timeout=DEADLINE)


def errors_in(service: LocalService) -> list[str]:
    """The records at level error."""
    return [line for line in service.lines if '"level": "error"' in line]


def await_error(service: LocalService) -> str:
    """Wait for the first record at level error."""
    deadline = time.monotonic() + DEADLINE
    while not (found := errors_in(service)):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found[0]


def await_health(service: LocalService, status: int) -> dict[str, Any]:
    """Wait for this answer about the service's health: one that was found is given again for a second."""
    deadline = time.monotonic() + DEADLINE
    while (answer := httpx.get(f"{service.south}/health")).status_code != status:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    report: dict[str, Any] = answer.json()
    return report


def ends_with(service: LocalService, reason: str) -> None:
    """Stop the service: it fails, and says why."""
    assert service.stop() == 1
    deadline = time.monotonic() + DEADLINE
    while not (told := [line for line in service.lines if line.startswith("Error: ")]) and time.monotonic() < deadline:
        time.sleep(0.01)  # the last lines are still on their way
    assert len(told) == 1
    assert reason in told[0]
    assert "docs/operations.md" in told[0]


@pytest.mark.parametrize("name", LOSSES)
def test_files_are_lost(service: LocalService, tmp_path: Path, name: str) -> None:
    """Row 59: when a file is taken away, no change is confirmed any more, and health and log say why; exit code 1."""
    lose, reason = LOSSES[name]
    lose(tmp_path / "data" / "wfx.db")
    if name.startswith("index"):
        await_error(service)  # what is in the log is found without its index, so only a look at everything misses that
    refused = create(service, "late")
    assert refused.status_code == 503
    assert refused.json()["errors"][0]["code"] == "wfx.storeUnavailable"
    assert reason in refused.json()["errors"][0]["message"]
    assert reason in await_health(service, 503)["details"]["persistence"]["error"]
    assert reason in await_error(service)
    ends_with(service, reason)


def test_nobody_has_to_ask(service: LocalService, tmp_path: Path) -> None:
    """Row 59: a service that nobody talks to notices by itself that its file is gone, and logs it once."""
    (tmp_path / "data" / "wfx.db").unlink()
    assert "store is down" in await_error(service)
    await_health(service, 503)
    ends_with(service, "wfx.db, which the service was using, is gone")
    assert len(errors_in(service)) == 1


def test_nobody_had_time_to_notice(service: LocalService, tmp_path: Path) -> None:
    """Row 59: where a file is lost just before the end, the service ends with exit code 1 and says so."""
    (tmp_path / "data" / "wfx.db").unlink()
    ends_with(service, "wfx.db, which the service was using, is gone")


def test_a_file_system_is_taken_away(tmp_path: Path) -> None:
    """Row 59: when the file system is unmounted, no change is confirmed any more, and the service ends with 1."""
    data = tmp_path / "data"
    data.mkdir()
    with small_disk(data, "8m"):
        running = LocalService(tmp_path, f"--storage-opt={data}/wfx.db")
        with running:
            httpx.post(f"{running.north}{BASE}/workflows", json=WORKFLOW).raise_for_status()
            assert create(running, "c").status_code == 201
            take_away(data)
            assert create(running, "late").status_code == 503
            ends_with(running, "wfx.db, which the service was using, is gone")


def clients_in(path: Path) -> set[str]:
    """The clients of the jobs in a file, which must be sound."""
    assert_sound(path)
    with closing(sqlite3.connect(path)) as connection:
        return {client for (client,) in connection.execute("SELECT client_id FROM job")}


@pytest.mark.parametrize("ending", ["-wal", "-shm"])
def test_a_stop_saves_what_a_lost_log_had(service: LocalService, tmp_path: Path, ending: str) -> None:
    """Row 59: where only the log or its index was removed, everything confirmed is in the database after a stop."""
    path = tmp_path / "data" / "wfx.db"
    removed(ending)(path)
    await_error(service)
    assert create(service, "late").status_code == 503
    ends_with(service, f"wfx.db{ending}, which the service was using, is gone")
    assert clients_in(path) >= {f"c{number}" for number in range(JOBS)}


def test_a_removed_file_can_be_rescued(service: LocalService, tmp_path: Path) -> None:
    """Row 59: what was confirmed can be copied from what the service, which does not write any more, has open."""
    path = tmp_path / "data" / "wfx.db"
    directory_removed(path)
    assert create(service, "late").status_code == 503
    assert service.process is not None
    command = ["ls", "-l", f"/proc/{service.process.pid}/fd"]
    listed = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    opened = dict(re.findall(r" (\d+) -> (\S+) \(deleted\)$", listed, re.MULTILINE))
    for number, name in opened.items():
        if name in (str(path), f"{path}-wal"):
            shutil.copy(f"/proc/{service.process.pid}/fd/{number}", tmp_path / Path(name).name)
    assert clients_in(tmp_path / "wfx.db") >= {f"c{number}" for number in range(JOBS)}


def test_files_that_are_put_back(service: LocalService, tmp_path: Path) -> None:
    """Row 59: when the files are back at their names the service is well again, and has lost nothing."""
    path = tmp_path / "data" / "wfx.db"
    directory_renamed(path)
    assert create(service, "late").status_code == 503
    assert len(httpx.get(f"{service.south}{BASE}/jobs?limit=0").json()["content"]) >= JOBS
    path.parent.with_name("elsewhere").rename(path.parent)
    assert create(service, "again").status_code == 201
    await_health(service, 200)
    assert service.stop() == 0
    assert clients_in(path) >= {"again", *(f"c{number}" for number in range(JOBS))}
