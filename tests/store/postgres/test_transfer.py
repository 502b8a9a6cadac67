"""Import into PostgreSQL and dump of it: data moves between kinds of stores, and nothing is lost on the way."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from postgres_server import USER, Postgres

from tests.store.postgres_schemas import EMPTY, unsound
from tests.store.samples import FLOW, begin, renamed
from tests.store.sqlite.test_checking import fill
from wfx.domain.errors import StoreUnusable
from wfx.domain.workflow import Group, State, Workflow
from wfx.store.dump import (
    ConsumerRecord,
    DumpReader,
    EventRecord,
    Header,
    JobRecord,
    Record,
    WorkflowRecord,
    lines,
)
from wfx.store.dump_file import write_dump
from wfx.store.findings import quiet
from wfx.store.opening import open_store
from wfx.store.postgres import dumping, restoring
from wfx.store.postgres.blocking import one_state
from wfx.store.protocol import Store
from wfx.store.sqlite import dumping as sqlite_dumping
from wfx.store.sqlite import restoring as sqlite_restoring
from wfx.store.sqlite.checking import check


@pytest.fixture(scope="module")
def sqlite_lines(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, ...]:
    """A dump of a SQLite database with some of everything."""
    path = tmp_path_factory.mktemp("source") / "wfx.db"

    async def filled() -> None:
        store = await open_store("sqlite", str(path))
        try:
            await fill(store)
        finally:
            await store.close()

    asyncio.run(filled())
    with sqlite_dumping.dump(path) as (header, records):
        return tuple(lines(header, records))


def imported(dump_lines: Sequence[bytes], option: str) -> None:
    """Fill the database with a dump."""
    reader = DumpReader("dump", dump_lines)
    restoring.restore(option, reader.header, reader.records(), quiet)


async def started(option: str) -> None:
    """Start and stop a server's store, which no unfinished import lets."""
    await (await open_store("postgres", option)).close()


def dumped(option: str) -> tuple[bytes, ...]:
    """The lines of a dump."""
    with dumping.dump(option) as (header, records):
        return tuple(lines(header, records))


@EMPTY
def test_data_moves_there_and_back(sqlite_lines: tuple[bytes, ...], option: str, tmp_path: Path) -> None:
    """What comes from SQLite into PostgreSQL is sound, dumps the same, and comes back into SQLite sound."""
    imported(sqlite_lines, option)
    assert asyncio.run(unsound(option)) == []
    back = dumped(option)
    assert back[1:-1] == sqlite_lines[1:-1]
    reader = DumpReader("dump", back)
    sqlite_restoring.restore(tmp_path / "back.db", reader.header, reader.records(), quiet)
    assert check(tmp_path / "back.db").sound


def test_life_goes_on(sqlite_lines: tuple[bytes, ...], option: str) -> None:
    """A server on an imported database creates workflows and jobs, behind the events that are there."""
    imported(sqlite_lines, option)
    head = DumpReader("dump", sqlite_lines).header.head

    async def go_on(store: Store) -> None:
        await store.create_workflow(renamed("new"))
        await store.create_job(FLOW.name, begin("c"))
        bounds = await store.log_bounds()
        assert bounds.head == head + 2

    async def served() -> None:
        store = await open_store("postgres", option)
        try:
            await go_on(store)
        finally:
            await store.close()

    asyncio.run(served())
    assert asyncio.run(unsound(option)) == []


def test_an_interrupted_import_goes_on(
    sqlite_lines: tuple[bytes, ...], option: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An import that ended in the middle keeps servers out, and writes the rest when it is called again."""
    monkeypatch.setattr("wfx.store.postgres.restoring._TOGETHER", 2)
    reader = DumpReader("dump", sqlite_lines)

    def ending(records: Iterator[Record]) -> Iterator[Record]:
        yield from islice(records, 8)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        restoring.restore(option, reader.header, ending(reader.records()), quiet)
    with pytest.raises(StoreUnusable, match="is not finished; call it again"):
        asyncio.run(open_store("postgres", option))
    other = Header("another", 0, 0, workflows=0, jobs=0, events=0, consumers=0)
    with pytest.raises(StoreUnusable, match="a part of another import"):
        restoring.restore(option, other, [], quiet)
    written: list[int] = []
    reader = DumpReader("dump", sqlite_lines)
    restoring.restore(option, reader.header, reader.records(), lambda _what, done, _total: written.append(done))
    assert written[0] == 10, "the eight before were not written again"
    assert dumped(option)[1:-1] == sqlite_lines[1:-1]


@EMPTY
def test_of_two_imports_one_ends(
    sqlite_lines: tuple[bytes, ...], option: str, postgres: Postgres, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An import that finds what another one has written meanwhile ends, and names the database."""
    monkeypatch.setattr("wfx.store.postgres.restoring._TOGETHER", 2)
    reader = DumpReader("dump", sqlite_lines)
    schema = option.partition("search_path=")[2].rstrip("'")

    def overtaken(records: Iterator[Record]) -> Iterator[Record]:
        yield from islice(records, 8)
        postgres.sql(f"UPDATE {schema}.import_progress SET records = 10", database)
        yield from records

    with pytest.raises(StoreUnusable, match=rf"another import writes to the database {database} on 127\.0\.0\.1"):
        restoring.restore(option, reader.header, overtaken(reader.records()), quiet)


def test_nothing_is_mixed(sqlite_lines: tuple[bytes, ...], option: str) -> None:
    """An import into a database that has data is refused, and changes nothing."""
    imported(sqlite_lines, option)
    before = dumped(option)
    with pytest.raises(StoreUnusable, match="has data; an import needs an empty one"):
        imported(sqlite_lines, option)
    assert dumped(option) == before


def test_what_is_not_sound(sqlite_lines: tuple[bytes, ...], option: str) -> None:
    """Records that contradict each other are refused, and leave an empty database that another import fills."""
    reader = DumpReader("dump", sqlite_lines)
    changed = (
        record._replace(job_id="other", payload=record.payload.replace(record.job_id.encode(), b"other"))
        if isinstance(record, EventRecord) and record.seq == 4
        else record
        for record in reader.records()
    )
    with pytest.raises(StoreUnusable, match="the records contradict each other, and what was written was removed: "):
        restoring.restore(option, reader.header, changed, quiet)
    imported(sqlite_lines, option)
    assert dumped(option)[1:-1] == sqlite_lines[1:-1]


def test_a_record_twice(sqlite_lines: tuple[bytes, ...], option: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A job that is there twice is refused by name, and the database is empty again."""
    monkeypatch.setattr("wfx.store.postgres.restoring._TOGETHER", 2)
    jobs = [line for line in sqlite_lines if line.startswith(b'{"kind":"job"')]
    place = sqlite_lines.index(jobs[1])
    with pytest.raises(StoreUnusable, match=r"a record is there twice, or refers to none: Key \(id\)="):
        imported([*sqlite_lines[:place], jobs[0], *sqlite_lines[place + 1 :]], option)
    imported(sqlite_lines, option)


@pytest.mark.parametrize(("place", "line", "reason"), [
    (-1, b'{"kind":"end","sha256":"0"}', "it does not match the lines before it"),
    (4, b'{"kind":"x"}', "a record of kind 'job' is missing here"),
    (4, b"{", "it is not a line of a dump"),
])  # fmt: skip
def test_nothing_stays_of_a_refused_dump(
    sqlite_lines: tuple[bytes, ...], option: str, monkeypatch: pytest.MonkeyPatch, place: int, line: bytes, reason: str
) -> None:
    """A dump that was changed leaves an empty database, which a server opens and another import fills."""
    monkeypatch.setattr("wfx.store.postgres.restoring._TOGETHER", 1)
    spoilt = [*sqlite_lines]
    spoilt[place] = line
    with pytest.raises(StoreUnusable, match=reason):
        imported(spoilt, option)
    asyncio.run(started(option))
    imported(sqlite_lines, option)


def test_a_slow_reader_is_waited_for(sqlite_lines: tuple[bytes, ...], option: str) -> None:
    """PostgreSQL does not end a dump's transaction while whoever takes the records is busy with something else."""
    imported(sqlite_lines, option)
    with one_state(option) as connection:
        assert connection.fetch("SHOW idle_in_transaction_session_timeout") == [("0",)]


LONG = "ü" * 1300
REFUSED: dict[str, tuple[type[Any], dict[str, Any], str]] = {
    "id": (JobRecord, {"id": LONG}, "job ü+: a job id may have at most 2,500 bytes .* not 2,600; "),
    "client": (JobRecord, {"client_id": "a\0"}, "job .*: the client id has the character U.0000, which PostgreSQL"),
    "tag": (JobRecord, {"tags": b'["\\u0000"]'}, r"job .*: the tag has the character U.0000"),
    "consumer": (ConsumerRecord, {"name": LONG}, "consumer ü+: a consumer name may have at most 2,500 bytes"),
    "event": (EventRecord, {"client_id": "a\0"}, "event 1: the client id has the character U.0000"),
    "workflow": (
        WorkflowRecord, {"document": renamed(LONG).encoded}, "workflow 1: a workflow name may have at most"
    ),
    "state": (
        WorkflowRecord, {"document": Workflow("w", (State(LONG),)).encoded}, "workflow 1: a state name may have"
    ),
    "group": (
        WorkflowRecord, {"document": Workflow("w", (State("s"),), groups=(Group(LONG, ("s",)),)).encoded},
        "workflow 1: a group name may have at most 2,500 bytes",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_names_that_postgresql_cannot_have(
    sqlite_lines: tuple[bytes, ...], option: str, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """A record with a name that no index can hold is refused by name, and the database is empty again."""
    monkeypatch.setattr("wfx.store.postgres.restoring._TOGETHER", 1)
    shape, members, reason = REFUSED[what]
    reader = DumpReader("dump", sqlite_lines)
    changed = (record._replace(**members) if isinstance(record, shape) else record for record in reader.records())
    with pytest.raises(ValueError, match=reason):
        restoring.restore(option, reader.header, changed, quiet)
    asyncio.run(started(option))
    imported(sqlite_lines, option)
    assert dumped(option)[1:-1] == sqlite_lines[1:-1]


@pytest.mark.parametrize(("sql", "reason"), [
    ("UPDATE job SET workflow = 99 WHERE number = 1", "job .* cannot be read .KeyError.99.*; wfx check tells more"),
    ("UPDATE job SET definition_hash = repeat('x', 9), status = '{' WHERE number = 1", "job .* cannot be written"),
    ("UPDATE workflow SET document = '{' WHERE number = 1", "workflow 1 cannot be read"),
    ("DELETE FROM log", "the table log"),
])  # fmt: skip
def test_rows_that_cannot_be_read(
    sqlite_lines: tuple[bytes, ...], option: str, postgres: Postgres, database: str, sql: str, reason: str
) -> None:
    """A database with a row that makes no record is not exported, and the row is named."""
    imported(sqlite_lines, option)
    schema = option.partition("search_path=")[2].rstrip("'")
    postgres.sql(f"SET search_path = {schema}; SET session_replication_role = replica; {sql}", database)
    with pytest.raises(StoreUnusable, match=reason):
        dumped(option)


def test_a_lost_connection_is_one_of_the_source(
    sqlite_lines: tuple[bytes, ...], option: str, postgres: Postgres, database: str, tmp_path: Path
) -> None:
    """Where the source's connection is lost while a file is written, the message is about the source."""
    imported(sqlite_lines, option)
    target = tmp_path / "copy.jsonl"
    with dumping.dump(option) as (header, records):
        theirs = f"FROM pg_stat_activity WHERE datname = '{database}' AND usename = '{USER}'"
        postgres.sql(f"SELECT pg_terminate_backend(pid) {theirs}")
        with pytest.raises(StoreUnusable, match=r"cannot read the database .*: the connection to PostgreSQL was lost"):
            write_dump(target, lines(header, records))
    assert list(tmp_path.glob("copy*")) == []


def test_documents_are_fetched_a_few_bytes_at_a_time(
    sqlite_lines: tuple[bytes, ...], option: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However large jobs are, export and check have few bytes of them in memory at a time."""
    imported(sqlite_lines, option)
    events = "SELECT seq, octet_length(payload) FROM event ORDER BY seq"
    with one_state(option) as connection:
        sizes = dict(connection.fetch(events))
        most = max(sizes.values())
        monkeypatch.setattr("wfx.store.postgres.blocking._BYTES_TOGETHER", most)
        groups = list(connection.groups(events))
        assert [seq for group in groups for seq in group] == sorted(sizes)
        assert 1 < len(groups) < len(sizes)
        assert all(sum(sizes[seq] for seq in group) <= most for group in groups)
        assert connection.at_once("SELECT max(octet_length(payload)) FROM event") == 20
    assert dumped(option)[1:-1] == sqlite_lines[1:-1]


@EMPTY
def test_a_standby_is_read(sqlite_lines: tuple[bytes, ...], option: str, postgres: Postgres) -> None:
    """A standby that is named alone is exported, and no import is made into it."""
    imported(sqlite_lines, option)
    with Postgres(postgres) as standby:
        standby.catch_up_with(postgres)
        there = option.replace(f"'{postgres.port}'", f"'{standby.port}'")
        assert dumped(there)[1:-1] == sqlite_lines[1:-1]
        with pytest.raises(StoreUnusable, match="the server cannot write now: it is a standby"):
            imported(sqlite_lines, there)
        both = there.replace("host='127.0.0.1'", "host='127.0.0.1,127.0.0.1'")
        both = both.replace(f"port='{standby.port}'", f"port='{standby.port},{postgres.port}'")
        with one_state(both) as connection:
            assert connection.fetch("SELECT pg_is_in_recovery()") == [(False,)]


def test_an_import_is_known_to_the_planner(
    sqlite_lines: tuple[bytes, ...], option: str, postgres: Postgres, database: str
) -> None:
    """After an import PostgreSQL knows how many rows there are, so that searches are planned for them."""
    imported(sqlite_lines, option)
    schema = option.partition("search_path=")[2].rstrip("'")
    sql = f"SELECT reltuples FROM pg_class WHERE oid = '{schema}.event'::regclass"
    assert postgres.sql(sql, database) == [str(DumpReader("dump", sqlite_lines).header.events)]
