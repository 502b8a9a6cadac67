"""The product's check of PostgreSQL: that it sees every kind of damage, and says nothing of what is sound."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from command_lines import runner
from postgres_server import PASSWORD, SUPERUSER, Postgres

from tests.store.postgres_schemas import EMPTY
from tests.store.sqlite.audit import Ledger, live
from tests.store.sqlite.test_checking import fill
from wfx.cli import PROGRAM
from wfx.domain.errors import StoreUnusable
from wfx.store.findings import quiet
from wfx.store.named_statements import read_statements
from wfx.store.opening import open_store
from wfx.store.postgres import checking, dumping
from wfx.store.postgres.blocking import BlockingConnection, blocking
from wfx.store.postgres.checking import check, examine, require_current
from wfx.store.postgres.connecting import Connector
from wfx.store.postgres.target import read_target
from wfx.store.protocol import Store

ROOT = Path(__file__).parents[3]
JOB = "(SELECT min(number) FROM job)"
AS_IT_IS = "FOR EACH ROW WHEN (OLD.tag_keys IS DISTINCT FROM NEW.tag_keys) EXECUTE FUNCTION keep_job_tags()"
OTHER_TRIGGERS = (
    "AFTER UPDATE OF job_id ON event FOR EACH ROW EXECUTE FUNCTION keep_job_tags()",
    f"BEFORE UPDATE OF tag_keys ON job {AS_IT_IS}",
    f"AFTER UPDATE OF tags ON job {AS_IT_IS}",
    f"AFTER UPDATE OF tag_keys ON job {AS_IT_IS}".replace("IS DISTINCT FROM", "<"),
    f"AFTER UPDATE OF tag_keys ON job {AS_IT_IS}".replace("keep_job_tags", "suppress_redundant_updates_trigger"),
    "AFTER UPDATE OF tag_keys ON job FOR EACH STATEMENT EXECUTE FUNCTION keep_job_tags()",
)
"""Triggers with the name of one of ours, on another table, at other times, or of another function."""
DAMAGE = {
    "index": ["DROP INDEX job_tag_keys", "ALTER TABLE job DROP CONSTRAINT job_id_key"],
    "constraint": ["ALTER TABLE job DROP CONSTRAINT job_workflow_fkey", "ALTER TABLE log DROP CONSTRAINT log_pkey"],
    "trigger": [
        "DROP TRIGGER job_tag_gone ON job", "ALTER TABLE job DISABLE TRIGGER job_tag_changed",
        "ALTER TABLE job ENABLE REPLICA TRIGGER job_tag_changed",
        *(f"DROP TRIGGER job_tag_changed ON job; CREATE TRIGGER job_tag_changed {one}" for one in OTHER_TRIGGERS),
    ],
    "trigger_function": [
        "CREATE OR REPLACE FUNCTION keep_job_tags() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        "ALTER FUNCTION keep_job_tags() RENAME TO keep_tags",
        "CREATE SCHEMA other; ALTER FUNCTION keep_job_tags() SET SCHEMA other",
        """
        DO $$ BEGIN EXECUTE (
            SELECT replace(pg_get_functiondef(oid), 'public.job_tag', 'other.job_tag') FROM pg_proc
            WHERE proname = 'keep_job_tags'
        ); END $$
        """,
    ],
    "log_identity": ["UPDATE log SET log_id = 'x'", "DELETE FROM log"],
    "log_horizon": ["UPDATE log SET horizon = head + 1"],
    "log_gap": [
        "DELETE FROM event WHERE seq = 4",
        "UPDATE log SET head = head + 1",
        "UPDATE event SET seq = 99 WHERE seq = 15",
    ],
    "event_time": ["UPDATE event SET ctime = -1 WHERE seq = 1"],
    "event_action": [
        "UPDATE event SET action = 'X' WHERE seq = 1",
        "UPDATE event SET action = 'ADD_TAGS' WHERE seq = 1",
    ],
    "event_workflow": ["UPDATE event SET workflow = 99 WHERE seq = 1"],
    "event_payload": [
        "UPDATE event SET payload = '{}' WHERE seq = 1",
        "UPDATE event SET payload = '{\"id\":\"other\"}' WHERE seq = 4",
        "UPDATE event SET payload = 'x' WHERE seq = 4",
    ],
    "event_cause": [
        "UPDATE event SET cause = NULL WHERE seq = 7",
        "UPDATE event SET cause = '[\"\",\"\",\"\",99]' WHERE seq = 7",
    ],
    "event_state_before": [
        "UPDATE event SET state_before = NULL WHERE seq = 4",
        "UPDATE event SET state_before = 'DONE' WHERE seq = 5",
        "UPDATE event SET state_before = 'NEW' WHERE seq = 3",
    ],
    "job_count": [
        "UPDATE job_count SET jobs = jobs + 1",
        "DELETE FROM job_count",
        "INSERT INTO job_count VALUES (1, 'GONE', '', 2)",
    ],
    "tag_count": [
        "DELETE FROM tag_shift; INSERT INTO counted_tag VALUES ('y', 1000)",
        "INSERT INTO counted_tag VALUES ('none', 1000); INSERT INTO tag_count VALUES ('none', 1, 'NEW', '', 2)",
        "INSERT INTO counted_tag VALUES ('none', 1000); INSERT INTO tag_shift VALUES (1, 1, 'A', '', '{none}')",
    ],
    "job_tag": [
        "DELETE FROM job_tag WHERE tag = 'y'",
        "UPDATE job_tag SET tag = 'other' WHERE tag = 'z'",
        "UPDATE job_tag SET workflow = 2",
        "INSERT INTO job_tag VALUES ('y', 2, 1)",
    ],
    "lost_job": [f"DELETE FROM job WHERE number = {JOB}"],
    "job_number": [f"UPDATE job SET number = 1000 WHERE number = {JOB}"],
    "orphan_history": ["UPDATE history SET job = job + 1000"],
    "left_history": [f"INSERT INTO left_history SELECT {JOB}"],
    "workflow": ["UPDATE workflow SET document = '{}' WHERE number = 1"],
    "workflow_name": [
        "UPDATE workflow SET deleted = 1 WHERE number = 1",
        "INSERT INTO current_workflow SELECT 'gone', number FROM workflow WHERE deleted IS NOT NULL",
    ],
    "workflow_deleted": ["UPDATE workflow SET deleted = 1000 WHERE deleted IS NOT NULL"],
    "consumer": ["UPDATE consumer SET position = 1000", "UPDATE consumer SET steps = -1"],
    "device": [
        "UPDATE device SET first_seen = 99 WHERE client_id = 'a'",
        "UPDATE device SET last_seen = NULL WHERE client_id = 'new'",
        "UPDATE device SET keys = '{}' WHERE client_id = 'spare'",
    ],
    "lease": ["UPDATE lease SET epoch = 0", "UPDATE lease SET holder = ''"],
    "bulk_request": [
        "UPDATE bulk_request SET done = 3", "UPDATE bulk_request SET failed = 2", "DELETE FROM bulk_slice",
    ],
    "task": ["UPDATE task SET state = 'LOST'", "UPDATE task SET state = 'DONE'", "UPDATE task SET ctime = -1"],
    "score_total": [
        "UPDATE score_total SET points = 0.31", "DELETE FROM score_total", "DELETE FROM score WHERE key = 'p'",
        "DELETE FROM score",
    ],
    "event_answer": ["UPDATE event_answer SET size = 3", "UPDATE event_answer SET key = 'evt'"],
    "script": ["UPDATE script SET size = 3", "UPDATE script SET ctime = -1"],
    "repetition": ["UPDATE repetition SET times = -1"],
    "job": [
        f"UPDATE job SET state = 'NO' WHERE number = {JOB}",
        f"UPDATE job SET status = 'x' WHERE number = {JOB}",
        f"UPDATE job SET mtime = stime - 1 WHERE number = {JOB}",
    ],
    "job_group": [f"UPDATE job SET grp = 'CLOSED' WHERE number = {JOB}"],
    "job_definition": [f"UPDATE job SET definition = '{{\"n\":9}}' WHERE number = {JOB}"],
    "job_tags": [f"UPDATE job SET tag_keys = '{{x,y,z}}' WHERE number = {JOB}"],
    "job_size": [
        f"UPDATE job SET size = 1 WHERE number = {JOB}",
        f"UPDATE job SET history_bytes = 1 WHERE number = {JOB}",
    ],
    "job_history": [f"DELETE FROM history WHERE version = 2 AND job = {JOB}"],
    "job_log": [
        f"UPDATE job SET version = version + 1 WHERE number = {JOB}",
        "UPDATE event SET client_id = 'x' WHERE seq = 4",
    ],
}  # fmt: skip
CHECKS = {*read_statements(Path(checking.__file__).parent / "checks.sql")} | {
    "event_payload", "event_cause", "event_state_before", "workflow", "job", "job_group", "job_definition", "job_tags",
    "job_size", "job_history", "job_log",
}  # fmt: skip


async def filled(option: str) -> None:
    """Put some of everything into the database."""
    store = await open_store("postgres", option)
    try:
        await fill(store)
    finally:
        await store.close()


def test_a_sound_database(option: str) -> None:
    """A database that a store has worked on is sound, and the report says how much there is."""
    asyncio.run(filled(option))
    report = check(option)
    assert report.findings == []
    assert report.sound
    assert report.examined == {"job": 3, "event": 15, "history": 6, "workflow": 2}
    assert report.consumers == {"reader": {"position": 11, "steps": 1, "lost": 0}}
    assert (report.log["oldest"], report.log["newest"]) == (1, 15)


def test_a_long_life(option: str) -> None:
    """After some of everything, several acts at a time, the database is sound."""

    async def lived(store: Store) -> None:
        try:
            await live(store, Ledger())
        finally:
            await store.close()

    async def opened() -> None:
        await lived(await open_store("postgres", option))

    asyncio.run(opened())
    assert check(option).findings == []


def test_every_rule_is_tried_and_explained() -> None:
    """There is damage for every check, and the guide says what each means."""
    assert DAMAGE.keys() == CHECKS
    guide = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    assert [name for name in sorted(CHECKS) if f"| `{name}` |" not in guide] == []


@pytest.fixture(scope="module")
def sound(postgres: Postgres) -> Iterator[str]:
    """A database to make copies of."""
    with postgres.database() as name:
        asyncio.run(filled(postgres.conninfo(name)))
        yield name


@pytest.fixture(scope="module")
def administrator(postgres: Postgres, sound: str) -> Iterator[BlockingConnection]:
    """A connection of somebody who may damage a copy."""
    with postgres.database(sound) as copy:
        option = postgres.conninfo(copy, host=postgres.folder, user=SUPERUSER)
        with blocking(option, "read") as connection:
            yield connection


@pytest.mark.parametrize(("name", "damage"), [(name, each) for name, some in DAMAGE.items() for each in some])
def test_damage_is_found(administrator: BlockingConnection, name: str, damage: str) -> None:
    """Whatever is not as it must be is found by the check for it, which says where."""
    begin = f"BEGIN; SET LOCAL session_replication_role = replica; {damage}"
    administrator.run(administrator.plain.execute(begin))
    try:
        require_current(administrator)
        report = examine(administrator, quiet)
    finally:
        administrator.run(administrator.plain.execute("ROLLBACK"))
    assert not report.sound
    assert report.counts.get(name), report.findings


@EMPTY
def test_what_is_no_database_of_ours(option: str) -> None:
    """An empty database and one with other tables' versions are not examined."""
    with pytest.raises(StoreUnusable, match="has no data of wfx"):
        check(option)
    asyncio.run(filled(option))
    asyncio.run(_set_version(option, 99))
    with pytest.raises(StoreUnusable, match=r"has schema version 99.*; use the newer program for this$"):
        check(option)
    asyncio.run(_set_version(option, 0))
    with pytest.raises(StoreUnusable, match=r"has schema version 0.*; start the server on it once"):
        check(option)


def test_every_index_and_constraint_is_expected(postgres: Postgres, sound: str) -> None:
    """The check expects each index and constraint that the migrations make."""
    checks = read_statements(Path(checking.__file__).parent / "checks.sql")
    of_ours = "WHERE relnamespace = 'public'::regnamespace AND relname <> 'wfx_schema_pkey'"
    for check_name, made in {
        "index": f"SELECT relname FROM pg_class {of_ours} AND relkind = 'i'",
        "constraint": f"SELECT conname FROM pg_constraint JOIN pg_class ON conrelid = pg_class.oid {of_ours} "
        "AND contype <> 'n' AND relname <> 'wfx_schema'",
    }.items():
        listed = checks[check_name].partition("ARRAY[")[2].partition("]")[0]
        expected = sorted(each.strip(" '\n") for each in listed.split(","))
        assert expected == sorted(postgres.sql(made, sound))


@pytest.mark.parametrize("damage", ["ALTER TABLE job DROP COLUMN overtaken", "DROP TABLE lease"])
def test_tables_that_lack_something(postgres: Postgres, sound: str, tmp_path: Path, damage: str) -> None:
    """A column or table that was dropped is told of in one line, without a hint of PostgreSQL."""
    with postgres.database(sound) as copy:
        postgres.sql(damage, copy)
        shown = runner(PROGRAM, tmp_path)("check", env=_environment(postgres.conninfo(copy)))
    assert shown.code == 1
    assert "its tables are not complete, " in shown.err
    assert "HINT" not in shown.err
    assert (shown.err.count("\n"), "\\n" in shown.err) == (1, False)


@pytest.mark.parametrize(("table", "said"), [
    ("wfx_schema", "the table wfx_schema of the database .* has no row, which says the version"),
    ("log", "cannot use the database .*: the table log has no row"),
])  # fmt: skip
def test_tables_that_were_emptied(postgres: Postgres, sound: str, tmp_path: Path, table: str, said: str) -> None:
    """Where the row with the version, or that of the log, is missing, each command and the server say so in a line."""
    with postgres.database(sound) as copy:
        postgres.sql(f"TRUNCATE {table}", copy)
        option = postgres.conninfo(copy)
        with pytest.raises(StoreUnusable, match=said):
            asyncio.run(open_store("postgres", option))
        for command in (["check"], ["export", "-"], ["backup", "never"]):
            shown = runner(PROGRAM, tmp_path)(*command, env=_environment(option))
            assert shown.code == 1
            assert f"table {table}" in shown.err or "log_identity" in shown.out
            assert shown.err.count("\n") <= 1


def test_a_standby() -> None:
    """Where no server can write `wfx check` and dumps read a standby, unless the option wants a primary."""
    with Postgres() as primary, primary.database() as name, Postgres(primary) as standby:
        asyncio.run(filled(primary.conninfo(name)))
        standby.catch_up_with(primary)
        primary.stop("immediate")
        hosts = {"host": "127.0.0.1,127.0.0.1", "port": f"{primary.port},{standby.port}"}
        command = [sys.executable, "-m", "wfx", "check"]
        environment = os.environ | _environment(primary.conninfo(name, **hosts))
        shown = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
        assert shown.returncode == 0
        assert "is sound" in shown.stdout
        assert "a standby may lack newest changes" in shown.stderr
        with dumping.dump(primary.conninfo(name, **hosts)) as (header, records):
            assert len(list(records)) == header.records
        with pytest.raises(StoreUnusable, match="the server cannot write now: it is a standby"):
            check(primary.conninfo(name, **hosts, target_session_attrs="primary"))


def _environment(option: str) -> Mapping[str, str]:
    return {"WFX_STORAGE": "postgres", "WFX_STORAGE_OPT": option}


async def _set_version(option: str, version: int) -> None:
    plain = await Connector(read_target(option))()
    try:
        await plain.execute("UPDATE wfx_schema SET version = $1", version)
    finally:
        await plain.close()


def test_the_command(postgres: Postgres, sound: str) -> None:
    """`wfx check` examines PostgreSQL, and never shows the password."""
    command = [sys.executable, "-m", "wfx", "check", "--storage=postgres"]
    environment = {**os.environ, "WFX_STORAGE_OPT": postgres.conninfo(sound)}
    shown = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "is sound (workflows: 2, jobs: 3, history entries: 6, events: 15)" in shown.stdout
    assert PASSWORD not in shown.stdout


def test_a_backup(postgres: Postgres, sound: str, tmp_path: Path) -> None:
    """`wfx backup` writes a dump of PostgreSQL, and says how it is restored; so it is."""
    command, backup = [sys.executable, "-m", "wfx"], str(tmp_path / "wfx.jsonl")
    environment = {**os.environ, "WFX_STORAGE": "postgres", "WFX_STORAGE_OPT": postgres.conninfo(sound)}
    shown = subprocess.run(
        [*command, "backup", backup], env=environment, capture_output=True, text=True, timeout=60, check=True
    )
    assert (
        f"restore a backup into an empty database: wfx import --storage postgres --storage-opt ADDRESS {backup}"
        in shown.stdout
    )
    with postgres.database() as other:
        environment["WFX_STORAGE_OPT"] = postgres.conninfo(other)
        subprocess.run([*command, "import", backup], env=environment, capture_output=True, timeout=60, check=True)
        assert check(postgres.conninfo(other)).examined == check(postgres.conninfo(sound)).examined
