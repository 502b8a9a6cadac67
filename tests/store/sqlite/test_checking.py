"""The product's check: that it sees every kind of damage, and says nothing of what is sound."""

from __future__ import annotations

import _thread
import asyncio
import random
import shutil
import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.store.samples import FLOW, begin, move, redefine, renamed, tag, together, untag
from tests.store.sqlite.audit import Ledger, live
from wfx.domain.device import DeviceDescription, Sighting
from wfx.domain.errors import StoreUnusable
from wfx.domain.json import Json
from wfx.domain.timestamp import Timestamp
from wfx.store.bulk import BulkRecord, SliceResult
from wfx.store.findings import Report
from wfx.store.opening import open_store
from wfx.store.operations import DeleteJob
from wfx.store.protocol import Store
from wfx.store.rule_records import NewTask, RuleRecords, ScoreEntry
from wfx.store.sqlite import check_jobs
from wfx.store.sqlite.backup import back_up
from wfx.store.sqlite.checking import check, reading
from wfx.store.sqlite.migrate import APPLICATION_ID
from wfx.store.sqlite.statements import load

ROOT = Path(__file__).parents[3]
IN_CODE = {
    "file",
    "reference",
    "workflow",
    "workflow_state",
    "job",
    "job_definition",
    "job_tags",
    "job_size",
    "job_history",
    "job_log",
}
CHECKS = {*load("checks.sql"), *IN_CODE}


async def fill(store: Store) -> None:
    """Let jobs 1, 2 and 3 live; number 4 and the workflow "gone" are deleted.

    The log has 15 events; the first two and the last one are about workflows.
    """
    await store.create_workflow(FLOW)
    await store.create_workflow(renamed("gone"))
    await store.consumer("reader")
    await store.lease("chores", 60)
    await store.open_bulk("key", BulkRecord("fingerprint", "content", 2))
    await store.take_slice("key", 0, [[DeleteJob("nothing")]], lambda _: SliceResult(1, 1, "x"))
    first = await store.create_job(FLOW.name, begin("a", tags=["x", "y"], definition={"n": 1}))
    await store.change_job(first.id, move("RUN", message="hello"))
    await store.change_job(first.id, redefine({"n": 2}))
    await store.change_job(first.id, untag("x"))
    second = await store.create_job(FLOW.name, begin("b", definition={"n": 1}))
    await store.change_job(second.id, tag("z", "ü"))
    third = await store.create_job(FLOW.name, begin("c"))
    await store.change_job(third.id, redefine({}))
    await store.change_job(third.id, redefine({"a": []}))
    fourth = await store.create_job("gone", begin("d", tags=["x"]))
    await store.change_job(fourth.id, move("RUN"))
    await store.delete_job(fourth.id)
    await store.delete_workflow("gone")
    await store.step("reader", 2, 0, 11, [])
    await store.note_sightings([Sighting("a", 5, 9, "SW 1"), Sighting("new", 7, 7, "")], forgets=False)
    await store.describe_device("a", DeviceDescription.of({"attributes": {"site": "x&y"}, "labels": ["canary"]}))
    await store.describe_device("spare", DeviceDescription.of({"labels": ["canary"]}))
    task = NewTask("t", "mail", Json(b"{}"), Timestamp(5))
    points = [ScoreEntry("p", "user", 0.1, "x"), ScoreEntry("q", "user", 0.2, "y")]
    records = RuleRecords([task], points, {"n": (0, 1)}, {("root", "x"): 1})
    await store.take_event("evt", (), records, lambda _: "é")
    for source in ("é", "1"):
        await store.put_script("calc", source, Json(b"[]"))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sound file with a whole log."""
    return asyncio.run(make(tmp_path_factory.mktemp("whole") / "wfx.db", keep=100))


@pytest.fixture(scope="module")
def pruned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sound file that has only the newest six events, so that no life but the last is whole."""
    return asyncio.run(make(tmp_path_factory.mktemp("pruned") / "wfx.db", keep=6))


async def make(path: Path, keep: int) -> Path:
    """Fill a file and prune its log."""
    store = await open_store("sqlite", str(path))
    await fill(store)
    await store.prune_log(keep_newest=keep, older_than=Timestamp(0), at_most=1000)
    await store.close()
    return path


class Damage(NamedTuple):
    """A statement that breaks something, and what is to be said of it."""

    sql: str
    check: str
    row: str
    expected: str
    found: str


JOB_1 = "job 1 ("
_CAUSE_OF_4 = 'UPDATE event SET cause = \'["","","",{}]\' WHERE seq = 4'
DAMAGES = [
    Damage("DELETE FROM event WHERE seq = 5", "log_gap", "event 6", "number 5 next", "number 6"),
    Damage("UPDATE event SET seq = 42 WHERE seq = 15", "log_gap", "event 42", "number 15 next", "number 42"),
    Damage("UPDATE meta SET value = 3 WHERE name = 'horizon'", "log_gap", "event 1", "number 4 next", "number 1"),
    Damage("UPDATE meta SET value = 'x' WHERE name = 'horizon'", "log_horizon", "meta horizon", "from 0 on", "x"),
    Damage("DELETE FROM meta WHERE name = 'log_id'", "log_identity", "meta log_id", "32 hex", "no such row"),
    Damage("UPDATE meta SET value = 'me' WHERE name = 'log_id'", "log_identity", "meta log_id", "32 hex", "me"),
    Damage("UPDATE event SET ctime = -5 WHERE seq = 4", "event_time", "event 4", "1970 and 9999", "-5"),
    Damage("UPDATE event SET ctime = 'now' WHERE seq = 4", "event_time", "event 4", "1970 and 9999", "now"),
    Damage("UPDATE event SET action = 'EXPLODE' WHERE seq = 4", "event_action", "event 4", "an action", "EXPLODE"),
    Damage("UPDATE event SET payload = '{' WHERE seq = 4", "event_payload", "event 4", "JSON about job", "{"),
    Damage('UPDATE event SET payload = \'{"id":"7"}\' WHERE seq = 4', "event_payload", "event 4", "JSON about", "7"),
    Damage('UPDATE event SET payload = \'{"name":"x"}\' WHERE seq = 1', "event_payload", "event 1", "demo.flow", "x"),
    Damage("UPDATE event SET action = 'ADD_TAGS' WHERE seq = 1", "event_action", "event 1", "an action", "ADD_TAGS"),
    Damage("UPDATE event SET job_id = 'x' WHERE seq = 1", "event_payload", "event 1", "JSON about job x", "demo.flow"),
    Damage("UPDATE event SET job_id = '' WHERE seq = 4", "event_action", "event 4", "an action", "UPDATE_STATUS"),
    Damage("UPDATE event SET cause = NULL WHERE seq = 4", "event_cause", "event 4", "a cause", "none"),
    Damage("UPDATE event SET cause = '[' WHERE seq = 4", "event_cause", "event 4", "a cause", "["),
    Damage("UPDATE event SET cause = x'5b5d' WHERE seq = 4", "event_cause", "event 4", "a cause", "[]"),
    Damage("UPDATE event SET cause = '{}' WHERE seq = 4", "event_cause", "event 4", "a cause", "{}"),
    Damage("UPDATE event SET cause = '[1]' WHERE seq = 4", "event_cause", "event 4", "request, side", "[1]"),
    Damage(_CAUSE_OF_4.format("5"), "event_cause", "event 4", "no later than the event", "5]"),
    Damage(_CAUSE_OF_4.format("0"), "event_cause", "event 4", "a root", "0]"),
    Damage(_CAUSE_OF_4.format('"1"'), "event_cause", "event 4", "a root", '"1"]'),
    Damage(_CAUSE_OF_4.format("1,-1"), "event_cause", "event 4", "a depth from 0 on", "-1]"),
    Damage(_CAUSE_OF_4.format("1,1,1"), "event_cause", "event 4", "a cause", "1,1,1]"),
    Damage("UPDATE event SET state_before = 1 WHERE seq = 4", "event_state_before", "event 4", "NEW", "RUN"),
    Damage("UPDATE event SET state_before = 77 WHERE seq = 4", "event_state_before", "event 4", "NEW", "77"),
    Damage("UPDATE event SET state_before = NULL WHERE seq = 6", "event_state_before", "event 6", "RUN", "none"),
    Damage("UPDATE event SET state_before = 0 WHERE seq = 3", "event_state_before", "event 3", "none", "NEW"),
    Damage("UPDATE event SET state_before = 0 WHERE seq = 14", "event_state_before", "event 14", "RUN", "NEW"),
    Damage("UPDATE workflow SET created = 3 WHERE number = 1", "workflow_log", "workflow 1", "CREATE as event 3", "1"),
    Damage("UPDATE event SET workflow = 1 WHERE seq = 2", "workflow_log", "workflow 2", "CREATE as event 2", "no such"),
    Damage("UPDATE event SET workflow = 1 WHERE seq = 15", "workflow_log", "workflow 2", "DELETE as", "no such"),
    Damage("UPDATE event SET workflow = 77 WHERE seq = 4", "event_workflow", "event 4", "number 77", "none"),
    Damage("DELETE FROM job WHERE number = 2", "lost_job", "job ", "DELETE as its last event", "ADD_TAGS as event 8"),
    Damage("DELETE FROM job WHERE number = 2", "orphan_tag", "job_tag (z, 2)", "a job with number 2", "none"),
    Damage("DELETE FROM job WHERE number = 2", "orphan_definition", "definition 2", "a job with number 2", "none"),
    Damage("DELETE FROM job WHERE number = 2", "orphan_history", "history 4", "a job with number 2", "none"),
    Damage("DELETE FROM job WHERE number = 2", "reference", "definition 2", "the row of job", "none"),
    Damage(
        "INSERT INTO orphaned_history VALUES (77)",
        "orphaned_history",
        "orphaned_history 77",
        "of a job that is gone",
        "none",
    ),
    Damage(
        "INSERT INTO orphaned_history VALUES (3)",
        "orphaned_history",
        "orphaned_history 3",
        "of a job that is gone",
        "one of job 1",
    ),
    Damage("INSERT INTO orphaned_history VALUES (2)", "job_history", JOB_1, "which are 3", "versions [3]"),
    Damage("UPDATE history SET status = '{' WHERE number = 1", "history_document", "history 1", "are JSON", "{"),
    Damage("UPDATE history SET definition = '' WHERE number = 2", "history_document", "history 2", "are JSON", "{"),
    Damage("UPDATE consumer SET position = 16", "consumer", "consumer reader", "from 0 to 15", "position 16"),
    Damage("UPDATE consumer SET position = 'x'", "consumer", "consumer reader", "from 0 to 15", "position x"),
    Damage("UPDATE consumer SET steps = -1", "consumer", "consumer reader", "from 0 on", "steps -1"),
    Damage("UPDATE consumer SET lost = -1", "consumer", "consumer reader", "from 0 on", "lost -1"),
    Damage("UPDATE consumer SET name = x'ff'", "consumer", "consumer ", "a name of text", "name blob, position 11"),
    Damage("UPDATE lease SET name = x'ff'", "lease", "lease ", "a name and a holder of text", "name blob, holder"),
    Damage("UPDATE lease SET holder = ''", "lease", "lease chores", "a holder of text", "holder , epoch 1"),
    Damage("UPDATE lease SET holder = x'61'", "lease", "lease chores", "a holder of text", "holder a, epoch 1"),
    Damage("UPDATE lease SET epoch = 0", "lease", "lease chores", "an epoch from 1 on", "epoch 0"),
    Damage("UPDATE lease SET epoch = 'x'", "lease", "lease chores", "an epoch from 1 on", "epoch x"),
    Damage("UPDATE lease SET until = -1", "lease", "lease chores", "microseconds from 0 on", "until -1"),
    Damage("UPDATE lease SET until = 'soon'", "lease", "lease chores", "microseconds from 0 on", "until soon"),
    Damage("UPDATE lease SET until = 1.5", "lease", "lease chores", "microseconds from 0 on", "until 1.5"),
    Damage("UPDATE device SET first_seen = 99 WHERE client_id = 'a'", "device", "device a", "in order", "seen 99 to 9"),
    Damage("UPDATE device SET last_seen = NULL WHERE client_id = 'a'", "device", "device a", "or none", "5 to never"),
    Damage("UPDATE device SET unclaimed = 2 WHERE client_id = 'new'", "device", "device new", "0 or 1", "unclaimed 2"),
    Damage("UPDATE device SET description = '{' WHERE client_id = 'a'", "device", "device a", "in JSON", ", {"),
    Damage("UPDATE device SET client_id = x'ff' WHERE client_id = 'new'", "device", "device ", "id of text", "seen 7"),
    Damage("DELETE FROM device_key", "device_key", "device a", "device_key for attribute site:x&y", "none"),
    Damage("DELETE FROM device WHERE client_id = 'spare'", "device_key", "(label canary, spare)", "a", "none"),
    Damage("UPDATE bulk_request SET done = 3", "bulk_request", "bulk request 1", "up to 2", "3 done"),
    Damage("UPDATE bulk_request SET failed = 2", "bulk_request", "bulk request 1", "its slices", "2 of them failed"),
    Damage("UPDATE bulk_request SET done = 0", "bulk_request", "bulk request 1", "its slices", "behind 0"),
    Damage("DELETE FROM bulk_slice", "bulk_request", "bulk request 1", "its slices", "behind none"),
    Damage("UPDATE task SET state = 'LOST'", "task", "task 1", "a known state", "state LOST"),
    Damage("UPDATE task SET state = 'RUNNING'", "task", "task 1", "at least 1 of what was claimed", "attempts 0"),
    Damage("UPDATE task SET input = '{'", "task", "task 1", "documents in JSON", "input {"),
    Damage("UPDATE task SET due = 'soon'", "task", "task 1", "times", "due soon"),
    Damage("UPDATE score SET points = 5 WHERE key = 'p'", "score_total", "score of user", "5.2 points", "0.3"),
    Damage("DELETE FROM score_total", "score_total", "score of user", "the sum of what was given", "none"),
    Damage("DELETE FROM score", "score_total", "score of user", "points that were given", "none"),
    Damage("UPDATE event_answer SET size = 3", "event_answer", "event_answer 1", "2 bytes", "3 bytes"),
    Damage("UPDATE event_answer SET key = 'evt'", "event_answer", "event_answer 1", "a hash", "evt"),
    Damage("UPDATE sequence SET value = 'x'", "sequence", "sequence n", "a whole number", "text, x"),
    Damage("UPDATE script SET size = 1", "script", "script calc", "2 bytes", "1 bytes"),
    Damage("UPDATE script SET ctime = 'x'", "script", "script calc", "a time", "x, 1 bytes"),
    Damage("UPDATE current_script SET name = 'x'", "script", "script x", "a version with this name", "calc"),
    Damage("UPDATE repetition SET times = -1", "repetition", "repetition (root, x)", "from 0 on", "-1 times"),
    Damage("UPDATE workflow SET deleted = 99 WHERE number = 2", "workflow_deleted", "workflow 2", "newest event", "99"),
    Damage("UPDATE workflow SET document = '[]' WHERE number = 1", "workflow", "workflow 1", "can be read", "Error"),
    Damage("UPDATE workflow SET name = 'other' WHERE number = 1", "workflow", "workflow 1", "demo.flow", "other"),
    Damage("UPDATE workflow_state SET state = 'X' WHERE state = 'RUN'", "workflow_state", "workflow 1", "'RUN'", "'X'"),
    Damage("DELETE FROM workflow_state WHERE state = 'LOST'", "workflow_state", "workflow 1", "'LOST'", "'DONE'"),
    Damage("UPDATE job SET workflow_state = 65536 WHERE number = 1", "job", JOB_1, "the state of its row, NEW", "RUN"),
    Damage(
        "UPDATE job SET workflow_state = 65600 WHERE number = 1",
        "job",
        JOB_1,
        "in a state of its workflow",
        "IndexError",
    ),
    Damage(
        "UPDATE job SET workflow_state = 65600 WHERE number = 1",
        "reference",
        "job 1",
        "the row of workflow_state",
        "none",
    ),
    Damage("UPDATE job SET status = '{}' WHERE number = 1", "job", JOB_1, "can be read", "KeyError('state')"),
    Damage("UPDATE job SET status = x'ff' WHERE number = 1", "job", JOB_1, "can be read", "Error"),
    Damage("UPDATE job SET status = CAST(x'22ff22' AS TEXT) WHERE number = 1", "job", JOB_1, "can be read", "Error"),
    Damage("UPDATE job SET mtime = 7 WHERE number = 1", "job", JOB_1, "an mtime from its stime", "7"),
    Damage("UPDATE job SET version = 0 WHERE number = 1", "job", JOB_1, "a version from 1 on", "0"),
    Damage("UPDATE definition SET document = '{\"n\":3}'", "job_definition", JOB_1, "the hash of its definition", ""),
    Damage("DELETE FROM definition WHERE job = 1", "job_definition", JOB_1, "the hash of its definition", ""),
    Damage(
        'UPDATE job SET status = replace(status, \'"definitionHash":"\', \'"definitionHash":"0\')',
        "job_definition",
        JOB_1,
        "the same hash in its status",
        "",
    ),
    Damage("DELETE FROM job_tag WHERE tag = 'y'", "job_tags", JOB_1, "its tags ['y'] in job_tag", "[]"),
    Damage("INSERT INTO job_tag VALUES ('w', 1)", "job_tags", JOB_1, "its tags ['y']", "['w', 'y']"),
    Damage('UPDATE job SET tags = \'["z","y"]\' WHERE number = 1', "job_tags", JOB_1, "in order", "['z', 'y']"),
    Damage("UPDATE job SET size = 7 WHERE number = 1", "job_size", JOB_1, "bytes of documents", "7"),
    Damage("UPDATE job SET history_bytes = 7 WHERE number = 1", "job_size", JOB_1, "bytes of history", "7"),
    Damage("DELETE FROM history WHERE number = 2", "job_history", JOB_1, "which are 3", "versions [1, 3]"),
    Damage("INSERT INTO history VALUES (50, 3, 1, 4, 9, '{}', NULL)", "job_history", JOB_1, "which are 3", "4]"),
    Damage("UPDATE history SET earlier = 1 WHERE number = 3", "job_history", JOB_1, "[None, 1, 2, 3]", "1, 1, 3]"),
    Damage("UPDATE job SET history = 1 WHERE number = 1", "job_history", JOB_1, "[None, 1, 2, 3]", "[None, 1, 2, 1]"),
    Damage("UPDATE job SET stime = stime + 1 WHERE number = 1", "job_history", JOB_1, "the first version at", ""),
    Damage("UPDATE history SET mtime = mtime + 9000000 WHERE number = 2", "job_history", JOB_1, "later than", ""),
    Damage("UPDATE event SET ctime = ctime + 1 WHERE seq = 4", "job_log", JOB_1, "events at the times", ""),
    Damage("UPDATE event SET client_id = 'q' WHERE seq = 4", "job_log", JOB_1, "('a', 1)", "event 4 of q"),
    Damage("UPDATE event SET workflow = 2 WHERE seq = 4", "job_log", JOB_1, "('a', 1)", "event 4 of a"),
    Damage("DELETE FROM event WHERE seq = 14", "lost_job", "job ", "DELETE as its last", "UPDATE_STATUS as event 13"),
    Damage("DELETE FROM event WHERE seq = 6", "job_log", JOB_1, "an event for each of its 4 versions", "3 events"),
    Damage("DELETE FROM event WHERE seq = 3", "job_log", JOB_1, "CREATE as its first event", "UPDATE_STATUS"),
    Damage("DELETE FROM event WHERE seq <= 6", "job_log", JOB_1, "CREATE as its first event", "no event"),
    Damage("UPDATE job SET client_id = 'q' WHERE number = 1", "job_log", JOB_1, "the clientId of its events", '"q"'),
    Damage("UPDATE job SET status = replace(status, 'hello', 'bye')", "job_log", JOB_1, "the status of", "bye"),
    Damage("UPDATE job SET tags = '[]' WHERE number = 1", "job_log", JOB_1, 'the tags of its events, ["y"]', "none"),
    Damage("UPDATE event SET action = 'DELETE' WHERE seq = 6", "job_log", JOB_1, "no DELETE among its events", ""),
]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: f"{damage.check}: {damage.sql}")
def test_damage_is_found(whole: Path, tmp_path: Path, damage: Damage) -> None:
    """Whatever is broken by hand is reported: by which check, in which row, what was expected and what is there."""
    report = damaged(whole, tmp_path, damage.sql)
    assert not report.sound
    found = [finding for finding in report.findings if finding.check == damage.check and damage.row in finding.row]
    assert [f for f in found if damage.expected in f.expected and damage.found in f.found], report.findings


def damaged(source: Path, folder: Path, sql: str) -> Report:
    """Check a copy of the file after the statement."""
    path = folder / "wfx.db"
    shutil.copy(source, path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(sql)
        connection.commit()
    return check(path)


def test_every_check_can_fail() -> None:
    """For every check there is damage that it finds, and the guide tells what it means."""
    assert {damage.check for damage in DAMAGES} | {"file"} == CHECKS
    guide = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    assert [name for name in sorted(CHECKS) if f"| `{name}` |" not in guide] == []


def test_what_is_sound_is_called_so(whole: Path, pruned: Path) -> None:
    """A file with all kinds of rows is sound, also when most of its log was pruned."""
    report = check(whole)
    assert report.sound, report.findings
    assert report.examined == {"job": 3, "event": 15, "history": 6, "workflow": 2}
    assert (report.log["oldest"], report.log["newest"]) == (1, 15)
    assert report.consumers == {"reader": {"position": 11, "steps": 1, "lost": 0}}
    assert check(pruned).findings == []
    assert check(pruned).examined["event"] == 6


@pytest.mark.parametrize(("sql", "expected"), [
    ("UPDATE event SET ctime = ctime + 1 WHERE seq = 10", "events at the times of its versions"),
    ("UPDATE event SET job_id = (SELECT id FROM job WHERE number = 2) WHERE seq IN (10, 11)", "an event for each of"),
])  # fmt: skip
def test_what_is_left_of_a_log_is_compared_too(pruned: Path, tmp_path: Path, sql: str, expected: str) -> None:
    """Events whose job's creation was pruned must still be those of its last versions."""
    report = damaged(pruned, tmp_path, sql)
    assert any(f.check == "job_log" and expected in f.expected for f in report.findings), report.findings


def test_places_of_consumers_are_behind_what_was_pruned(pruned: Path, tmp_path: Path) -> None:
    """A consumer whose next event was pruned without its knowledge is a finding; one that has lost events is none."""
    report = damaged(pruned, tmp_path, "UPDATE consumer SET position = 8")
    assert [(f.check, f.found) for f in report.findings] == [("consumer", "position 8, steps 1, lost 0")]
    report = damaged(pruned, tmp_path, "UPDATE consumer SET lost = 4")
    assert report.sound
    assert report.consumers == {"reader": {"position": 11, "steps": 1, "lost": 4}}


def test_many_findings_of_one_kind_are_counted(whole: Path, tmp_path: Path) -> None:
    """Of thousands of findings of one kind ten are told, with values cut short, and all are counted."""
    many = "WITH RECURSIVE n(i) AS (SELECT 10 UNION ALL SELECT i + 1 FROM n WHERE i < 3009) "
    report = damaged(whole, tmp_path, f"INSERT INTO job_tag {many} SELECT printf('%.500c', 'x') || i, i FROM n")
    assert report.counts == {"orphan_tag": 3000}
    assert len(report.findings) == 10
    assert all(len(f.row) < 300 and f.row.endswith("characters)") for f in report.findings)


@pytest.mark.parametrize("seed", range(4))
def test_overwritten_pages_are_found(tmp_path: Path, seed: int) -> None:
    """A file with an overwritten page is not sound, and is read as far as it goes."""
    path, chance = tmp_path / "wfx.db", random.Random(seed)

    async def write() -> None:
        store = await open_store("sqlite", str(path))
        await live(store, Ledger())
        await store.close()

    asyncio.run(write())
    pages = path.stat().st_size // 4096
    with path.open("r+b") as file:
        file.seek(4096 * chance.randrange(2, pages))
        file.write(b"\xff" * 100)
    report = check(path)
    assert "file" in report.counts
    assert any(f.row.startswith("table ") for f in report.findings), "it is said where"


async def test_a_store_in_use_is_checked_as_it_was_at_one_moment(tmp_path: Path) -> None:
    """While others write, the check sees one state, and disturbs nobody."""
    path = tmp_path / "wfx.db"
    store = await open_store("sqlite", str(path))
    await store.create_workflow(FLOW)
    jobs = await together(*(store.create_job(FLOW.name, begin()) for _ in range(100)))
    for _ in range(3):
        checking = asyncio.create_task(asyncio.to_thread(check, path))
        while not checking.done():
            await together(*(store.change_job(job.id, move("NEW")) for job in jobs))
        report = await checking
        assert report.sound, report.findings
    await store.close()


def test_checking_leaves_nothing_behind(whole: Path, tmp_path: Path) -> None:
    """A check changes not a byte and leaves no file, also of a file that nobody may write."""
    path = tmp_path / "wfx.db"
    shutil.copy(whole, path)
    before = path.read_bytes()
    path.chmod(0o444)
    assert check(path).sound
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


async def test_a_killed_servers_store_is_checked_with_its_log(tmp_path: Path) -> None:
    """What a dead server left in the write-ahead log counts, and stays there for the next start."""
    store = await open_store("sqlite", str(tmp_path / "wfx.db"))
    await fill(store)
    for name in ("wfx.db", "wfx.db-wal"):
        shutil.copy(tmp_path / name, tmp_path / f"dead{name[3:]}")
    await store.close()
    log = (tmp_path / "dead.db-wal").read_bytes()
    report = check(tmp_path / "dead.db")
    assert (report.findings, report.log["newest"]) == ([], 15)
    assert (tmp_path / "dead.db-wal").read_bytes() == log


def test_what_cannot_be_checked_is_refused(tmp_path: Path) -> None:
    """What is no database of this program, or of a newer or older one, is refused by name."""
    (tmp_path / "text").write_text("no database at all, but long enough to look at")
    (tmp_path / "empty").touch()
    for name, version in (("newer", 4711), ("older", -1)):
        with closing(sqlite3.connect(tmp_path / name)) as connection:
            connection.executescript(f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {version}")
    for name, reason in (
        ("missing", "there is no database file"), (".", "there is no database file"), ("text", "not a database"),
        ("empty", "nothing was ever stored"), ("newer", "knows only up to"), ("older", "start the server on it once"),
    ):  # fmt: skip
        with pytest.raises(StoreUnusable, match=reason) as refused:
            check(tmp_path / name)
        assert str(tmp_path / name) in str(refused.value)


def test_a_long_check_can_be_interrupted(whole: Path, tmp_path: Path) -> None:
    """Ctrl-C ends a check, and a backup, which leaves no file then."""

    def interrupt(_what: str, _done: int, _total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        check(whole, interrupt)
    with pytest.raises(KeyboardInterrupt):
        back_up(whole, tmp_path / "backup.db", interrupt)
    assert list(tmp_path.iterdir()) == []


def test_a_single_long_statement_can_be_interrupted(whole: Path) -> None:
    """Ctrl-C is heard while SQLite works on one statement for long."""
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    pressing = threading.Timer(0.2, _thread.interrupt_main)
    pressing.start()
    with pytest.raises(KeyboardInterrupt), reading(whole) as connection:
        connection.execute(endless)
    pressing.join()


def test_progress_is_told_every_few_jobs(whole: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the jobs of a file are checked, it is told now and then how many are done, and in the end that all are."""
    monkeypatch.setattr(check_jobs, "_EVERY", 2)
    told: list[tuple[str, int, int]] = []
    check(whole, lambda what, done, total: told.append((what, done, total)))
    assert [(done, total) for what, done, total in told if what == "jobs"] == [(0, 3), (2, 3), (3, 3)]
