"""``wfx prune`` as typed, and ``--jobs-closed-max-age`` of a running service."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest
from postgres_server import Postgres
from waiting import eventually

from tests.acceptance.clients import BASE
from tests.maintenance.test_commands import wfx
from wfx.demo.local import LocalService

FLOW = {
    "name": "flow",
    "states": [{"name": "NEW"}, {"name": "DONE"}, {"name": "BROKEN"}],
    "transitions": [
        {"from": "NEW", "to": "DONE", "eligible": "CLIENT"},
        {"from": "NEW", "to": "BROKEN", "eligible": "CLIENT"},
    ],
    "groups": [{"name": "OPEN", "states": ["NEW"]}, {"name": "FAILED", "states": ["BROKEN"]}],
}


def fill(service: LocalService) -> dict[str, str]:
    """Create three jobs, of which two are finished; return their ids by state."""
    httpx.post(f"{service.north}{BASE}/workflows", json=FLOW).raise_for_status()
    jobs = {}
    for state in ("NEW", "DONE", "BROKEN"):
        made = httpx.post(f"{service.north}{BASE}/jobs", json={"clientId": state, "workflow": "flow"})
        jobs[state] = made.raise_for_status().json()["id"]
        put = httpx.put(f"{service.south}{BASE}/jobs/{jobs[state]}/status", json={"state": state})
        put.raise_for_status()
    return jobs


def states(service: LocalService) -> set[str]:
    """Return the states of the jobs that there are."""
    found = httpx.get(f"{service.north}{BASE}/jobs").raise_for_status().json()["content"]
    return {job["status"]["state"] for job in found}


@pytest.fixture
def stopped(tmp_path: Path) -> LocalService:
    """A service that has three jobs, and was stopped."""
    with LocalService(tmp_path) as service:
        fill(service)
    return service


def test_old_finished_jobs_are_counted_and_deleted(stopped: LocalService) -> None:
    """A dry run counts what a run deletes: finished jobs, with their events, in a store that stays sound."""
    told = "flow, BROKEN: 1\nflow, DONE: 1\n"
    for arguments, said in ((["--dry-run"], f"{told}would delete 2 finished jobs\n"),
                            ([], f"{told}deleted 2 finished jobs\n"), ([], "deleted 0 finished jobs\n")):  # fmt: skip
        shown = wfx(stopped.folder, "prune", "--older-than=1ms", *arguments)
        assert (shown.returncode, shown.stdout, shown.stderr) == (0, said, "")
    assert wfx(stopped.folder, "check").returncode == 0
    exported = wfx(stopped.folder, "export", "-").stdout.splitlines()
    causes = [event["cause"] for event in map(json.loads, exported) if event.get("action") == "DELETE"]
    assert causes == [["", "", "wfx prune"]] * 2
    with stopped:
        assert states(stopped) == {"NEW"}


@pytest.mark.parametrize(
    ("arguments", "left"),
    [
        (["--older-than=1d"], {"NEW", "DONE", "BROKEN"}),
        (["--older-than=1ms", "--group=FAILED"], {"NEW", "DONE"}),
        (["--older-than=1ms", "--state=DONE"], {"NEW", "BROKEN"}),
        (["--older-than=1ms", "--state=DONE", "--group=FAILED"], {"NEW"}),
    ],
)
def test_age_group_and_state_narrow_it_down(stopped: LocalService, arguments: list[str], left: set[str]) -> None:
    """Only jobs of the age, in one of the groups and states that are named, are deleted."""
    shown = wfx(stopped.folder, "prune", *arguments)
    assert (shown.returncode, shown.stderr) == (0, "")
    with stopped:
        assert states(stopped) == left


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["prune"], "needs --older-than"),
        (["prune", "--older-than=0"], "must be more than 0"),
        (["prune", "--older-than=soon"], 'invalid age "soon": use a unit, for example 12h, 30d, 2w or 1y'),
        (["prune", "--older-than=1d", "more"], 'takes no arguments, but was given "more"'),
        (["prune", "--older-than=1d", "--state=NEW"], "no workflow has a finished state, or a group with one"),
        (["prune", "--older-than=1d", "--group=FAILED,CLOSDE"], "with this name: CLOSDE"),
        (["prune", "--older-than=1d", "--group="], "--group is empty, which would be no condition"),
        (["prune", "--older-than=1d", "--state="], "--state is empty, which would be no condition"),
        (["prune", "--older-than=1d", "--storage-opt=none.db"], "there is no database file none.db"),
        (["prune", "--older-than=1d", "--storage-opt=:memory:"], "a database in memory"),
    ],
)
def test_what_makes_no_sense_is_refused(stopped: LocalService, arguments: list[str], reason: str) -> None:
    """A wrong or missing age, an unknown name and a store that is not there are named, and nothing is made."""
    shown = wfx(stopped.folder, *arguments)
    assert shown.returncode == 1
    assert reason in shown.stderr
    assert not (stopped.folder / "none.db").exists()


def test_a_file_belongs_to_its_server(tmp_path: Path) -> None:
    """Beside a server with a file `wfx prune` says that the file is in use, and deletes nothing."""
    with LocalService(tmp_path) as service:
        fill(service)
        shown = wfx(tmp_path, "prune", "--older-than=1ms")
        assert shown.returncode == 1
        assert "in use by another server" in shown.stderr
        assert "--jobs-closed-max-age" in shown.stderr
        assert states(service) == {"NEW", "DONE", "BROKEN"}


def test_a_database_is_pruned_beside_its_servers(tmp_path: Path, postgres: Postgres, database: str) -> None:
    """On PostgreSQL `wfx prune` deletes beside a server, which goes on and tells of it in its events."""
    storage = ("--storage=postgres", f"--storage-opt={postgres.conninfo(database)}")
    with LocalService(tmp_path, *storage) as service:
        jobs = fill(service)
        shown = wfx(tmp_path, "prune", "--older-than=1ms", *storage)
        assert (shown.returncode, shown.stderr) == (0, "")
        assert shown.stdout.endswith("deleted 2 finished jobs\n")
        assert states(service) == {"NEW"}
        url = f"{service.north}{BASE}/jobs/events?since=0"
        events = httpx.get(url, headers={"Accept": "application/json"}).json()["content"]
        told = [each["event"] for each in events]
        deleted = {event["job"]["id"] for event in told if event["action"] == "DELETE"}
        assert deleted == {jobs["DONE"], jobs["BROKEN"]}


def test_a_server_deletes_what_is_too_old(stopped: LocalService) -> None:
    """With --jobs-closed-max-age a server deletes old finished jobs by itself, each at the age of its group."""
    stopped.options = ("--jobs-closed-max-age=1ms,FAILED=1d",)
    with stopped:
        eventually(lambda: states(stopped) == {"NEW", "BROKEN"}, "the job that is done goes")


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("soon", 'invalid age "soon"'),
        ("1d,2d", '"2d" is a second age for all'),
        ("FAILED=1d,FAILED=2d", '"FAILED=2d" is a second age for FAILED'),
        ("OPEN=1s", '"OPEN=1s" would delete nothing: jobs in the group OPEN are not finished'),
        ("=1d", "names no group or state"),
        ("CLOSED=", 'invalid age ""'),
        ("2000y", "from 0 to 1000y"),
    ],
)
def test_wrong_ages_end_the_start(tmp_path: Path, value: str, reason: str) -> None:
    """An age that cannot be honoured is named at the start."""
    shown = wfx(tmp_path, f"--jobs-closed-max-age={value}")
    assert shown.returncode == 1
    assert reason in shown.stderr
    assert not (tmp_path / "wfx.db").exists()
