"""Dump of a database and import into a new one: nothing is lost, changed or taken over in silence."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from reference_file import make

from tests.store.samples import all_jobs
from tests.store.sqlite.audit import Ledger, assert_sound, live
from tests.store.sqlite.test_checking import fill
from wfx.domain.definition import hash_of
from wfx.domain.errors import StoreUnusable
from wfx.domain.timestamp import Timestamp
from wfx.store.dump import DumpReader, Header, Record, lines
from wfx.store.findings import quiet
from wfx.store.opening import open_store
from wfx.store.protocol import Store
from wfx.store.sqlite.dumping import dump
from wfx.store.sqlite.restoring import restore

TABLES = (
    "workflow", "workflow_state", "job", "definition", "job_tag", "event", "consumer", "device", "device_key", "task",
    "score", "score_total", "sequence", "script", "current_script",
)  # fmt: skip


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A database with some of everything."""
    asyncio.run(_filled(tmp_path / "wfx.db", fill))
    return tmp_path / "wfx.db"


async def _filled(path: Path, fill: Callable[[Store], Any]) -> None:
    store = await open_store("sqlite", str(path))
    try:
        await fill(store)
    finally:
        await store.close()


def dumped(path: Path) -> list[bytes]:
    """The lines of a dump."""
    with dump(path) as (header, records):
        return list(lines(header, records))


def imported(dump_lines: list[bytes], path: Path) -> None:
    """Make a database of a dump."""
    reader = DumpReader("dump", dump_lines)
    restore(path, reader.header, reader.records(), quiet)


def rows_of(path: Path) -> dict[str, list[Any]]:
    """The tables, but for the numbers of history entries, which are given anew."""
    with closing(sqlite3.connect(path)) as connection:
        rows = {table: connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall() for table in TABLES}
        rows["job"] = [(*row[:7], *row[8:]) for row in rows["job"]]
        entries = "SELECT job, version, mtime, status, definition FROM history ORDER BY 1, 2"
        return rows | {"history": connection.execute(entries).fetchall()}


def test_everything_comes_back(path: Path) -> None:
    """A new database made of a dump has the same rows, is sound, and dumps the same again."""
    copy = path.with_name("copy.db")
    imported(dumped(path), copy)
    assert rows_of(copy) == rows_of(path)
    assert_sound(copy)
    assert dumped(copy)[1:-1] == dumped(path)[1:-1]


def test_pruned_events_and_large_documents(tmp_path: Path) -> None:
    """A store of which events were pruned, and with large documents, comes back from a dump."""
    path, copy = tmp_path / "wfx.db", tmp_path / "copy.db"

    async def fill_and_prune(store: Store) -> None:
        await live(store, Ledger())
        await store.prune_log(keep_newest=20, older_than=Timestamp(0), at_most=100, keep_for_consumers=0)

    asyncio.run(_filled(path, fill_and_prune))
    imported(dumped(path), copy)
    assert dumped(copy)[1:-1] == dumped(path)[1:-1]
    assert_sound(copy)


def test_the_log_has_a_new_identity(path: Path) -> None:
    """A server that starts on an imported database goes on, behind the same events, with another log; dumps tell it."""
    copy = path.with_name("copy.db")
    imported(dumped(path), copy)
    with dump(copy) as (header, _):
        told = header.log_id

    async def bounds(path: Path) -> Any:
        store = await open_store("sqlite", str(path))
        try:
            return await store.log_bounds()
        finally:
            await store.close()

    before, after = asyncio.run(bounds(path)), asyncio.run(bounds(copy))
    assert replace(before, log_id="") == replace(after, log_id="")
    assert before.log_id != after.log_id
    assert told == after.log_id


def test_documents_keep_their_bytes(path: Path) -> None:
    """A document that is not written as this release would write it is the same bytes after an import."""
    odd = '{"n": 2.0}'
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE definition SET document = ? WHERE job = 1", (odd,))
        connection.commit()
    imported(dumped(path), path.with_name("copy.db"))
    assert (1, odd) in rows_of(path.with_name("copy.db"))["definition"]


def test_an_interrupted_import_goes_on(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An import that ended in the middle writes only the rest when it is called again, and the result is the same."""
    monkeypatch.setattr("wfx.store.sqlite.restoring._TOGETHER", 2)
    copy, reader = path.with_name("copy.db"), DumpReader("dump", dumped(path))

    def ending(records: Iterator[Record], number: int) -> Iterator[Record]:
        yield from islice(records, number)
        raise KeyboardInterrupt

    for number in (3, 7, 12):
        reader = DumpReader("dump", dumped(path))
        with pytest.raises(KeyboardInterrupt):
            restore(copy, reader.header, ending(reader.records(), number), quiet)
        assert not copy.exists()
    written: list[int] = []
    reader = DumpReader("dump", dumped(path))
    restore(copy, reader.header, reader.records(), lambda _what, done, _total: written.append(done))
    assert written[0] == 14, "the twelve before were not written again"
    assert rows_of(copy) == rows_of(path)
    assert_sound(copy)
    assert [entry.name for entry in path.parent.glob("*importing*")] == []


def test_the_rest_of_another_import_is_dropped(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What an interrupted import of something else has left is not taken for a part of this one."""
    monkeypatch.setattr("wfx.store.sqlite.restoring._TOGETHER", 2)
    copy, reader = path.with_name("copy.db"), DumpReader("dump", dumped(path))
    other = Header("another", 0, 0, workflows=2, jobs=0, events=0, consumers=0)
    with pytest.raises(ValueError, match="event 1"):
        restore(copy, other, reader.records(), quiet)
    imported(dumped(path), copy)
    assert rows_of(copy) == rows_of(path)


def test_a_reference_is_read(tmp_path: Path) -> None:
    """The database of the reference is imported with all its jobs, and stays byte by byte as it is."""
    theirs, ours = tmp_path / "theirs.db", tmp_path / "ours.db"
    make(theirs, {"one": hash_of({"version": 1}), "two": hash_of({"version": 2})})
    before = theirs.read_bytes()
    with dump(theirs) as (header, records):
        restore(ours, header, records, quiet)
    assert theirs.read_bytes() == before
    assert_sound(ours)

    async def ids() -> list[str]:
        store = await open_store("sqlite", str(ours))
        try:
            return [job.id for job in await all_jobs(store)]
        finally:
            await store.close()

    assert asyncio.run(ids()) == ["b", "a", "c"]


def _changed(line: bytes, **members: Any) -> bytes:
    return json.dumps({**json.loads(line), **members}).encode() + b"\n"


def _at(kind: str, dump_lines: list[bytes]) -> int:
    return next(place for place, line in enumerate(dump_lines) if json.loads(line)["kind"] == kind)


SPOILT: dict[str, tuple[Callable[[list[bytes]], Any], str]] = {
    "nothing": (lambda each: each.clear(), "line 1: it ends here, but the dump is not whole"),
    "other": (lambda each: each.__setitem__(0, b'{"a":1}\n'), "line 1: it is not the header of a dump"),
    "no JSON": (lambda each: each.__setitem__(1, b"{\n"), "line 2: it is not a line of a dump"),
    "no object": (lambda each: each.__setitem__(1, b"[]\n"), "line 2: it is not a JSON object"),
    "format": (lambda each: each.__setitem__(0, _changed(each[0], format=9)), "format 9, this program reads 1"),
    "cut": (lambda each: each.pop(), "line 32: it ends here, but the dump is not whole"),
    "longer": (lambda each: each.append(each[-1]), "line 33: the dump has ended before it"),
    "missing": (lambda each: each.pop(_at("job", each)), "a record of kind 'job' is missing here; there is 'event'"),
    "kind": (lambda each: each.__setitem__(1, _changed(each[1], kind="x")), "line 2: .* there is 'x'"),
    "odd kind": (lambda each: each.__setitem__(1, _changed(each[1], kind=[])), r"line 2: .* there is \[\]"),
    "order": (lambda each: each.insert(1, each.pop(3)), "line 2: a record of kind 'workflow' is missing here"),
    "negative": (lambda each: each.__setitem__(0, _changed(each[0], consumers=-1)), "line 1: .* negative number"),
    "text": (lambda each: each.__setitem__(0, _changed(each[0], jobsText="1", jobs="x")), "line 1: member 'jobs' has"),
    "large": (lambda each: each.__setitem__(0, _changed(each[0], head=1 << 63)), "'head' has a number that is"),
    "late": (lambda each: each.__setitem__(3, _changed(each[3], mtime=1 << 60)), "not in the years 1 to 9999"),
    "entry": (lambda each: each.__setitem__(3, _changed(each[3], history=["x"])), "line 4: a JSON object was to come"),
    "member": (lambda each: each.__setitem__(1, b'{"kind":"workflow"}\n'), "line 2: member 'number' is missing"),
    "type": (lambda each: each.__setitem__(1, _changed(each[1], number="1")), "'number' has a value of the wrong type"),
    "definition": (
        lambda each: each.__setitem__(3, _changed(each[3], definition={"n": 3})),
        "job .*: its definition has not the hash",
    ),
    "status": (
        lambda each: each.__setitem__(3, _changed(each[3], mtime=1 << 51)),
        "line 32: it does not match the lines before it",
    ),
    "state": (lambda each: each.__setitem__(3, _changed(each[3], state="NO")), "that workflow 1 does not have, 'NO'"),
    "workflow": (lambda each: each.__setitem__(3, _changed(each[3], workflow=9)), "workflow 9, which is not in the"),
    "twice": (lambda each: each.__setitem__(4, each[3]), "a record is there twice, or refers to none"),
    "event": (
        lambda each: each.__setitem__(_at("event", each), each[_at("event", each) + 1]),
        "event 2: event 1 was to come here, of 15",
    ),
    "action": (lambda each: each.__setitem__(6, _changed(each[6], action="X")), "event 1: 'X' is not a valid Action"),
}  # fmt: skip


@pytest.mark.parametrize("name", SPOILT)
def test_spoilt_dumps_are_refused(path: Path, name: str) -> None:
    """A dump that is changed or something else is refused by its line; only the part of one that is cut stays."""
    spoil, message = SPOILT[name]
    dump_lines = dumped(path)
    spoil(dump_lines)
    with pytest.raises((StoreUnusable, ValueError), match=message):
        imported(dump_lines, path.with_name("copy.db"))
    left = [found.name for found in path.parent.glob("copy.db*")]
    assert left == (["copy.db.importing"] if name == "cut" else [])


def test_nothing_is_overwritten(path: Path) -> None:
    """An import into a file that exists is refused."""
    before = path.read_bytes()
    with pytest.raises(StoreUnusable, match="exists; an import makes a new file"):
        imported(dumped(path), path)
    assert path.read_bytes() == before
