"""Import of dumps that contradict themselves, into places that are not free, and of damaged databases."""

from __future__ import annotations

import asyncio
import hashlib
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.store.sqlite.audit import assert_sound
from tests.store.sqlite.test_checking import fill
from wfx.domain.definition import hash_of
from wfx.domain.errors import StoreUnusable
from wfx.store.dump import DumpReader, lines
from wfx.store.findings import quiet
from wfx.store.opening import open_store
from wfx.store.sqlite.dumping import dump
from wfx.store.sqlite.restoring import restore

HEADER, WORKFLOW, JOB, EVENT, CONSUMER, DEVICE, TASK, SCORE, SEQUENCE, SCRIPT = 0, 1, 3, 8, 21, 22, 25, 26, 28, 29
"""Lines in the dump, from 0."""


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with some of everything."""

    async def filled(path: Path) -> None:
        store = await open_store("sqlite", str(path))
        try:
            await fill(store)
        finally:
            await store.close()

    path = tmp_path_factory.mktemp("source") / "wfx.db"
    asyncio.run(filled(path))
    return path


def records_of(path: Path) -> list[Any]:
    """The lines of a dump, decoded, but for the last one."""
    with dump(path) as (header, records):
        return [json.loads(line) for line in lines(header, records)][:-1]


def imported(documents: list[Any], path: Path) -> None:
    """Import these lines and a last one that matches them, as the command does."""
    before = [json.dumps(document).encode() + b"\n" for document in documents]
    end = {"kind": "end", "sha256": hashlib.sha256(b"".join(before)).hexdigest()}
    reader = DumpReader("dump", [*before, json.dumps(end).encode()])
    try:
        restore(path, reader.header, reader.records(), quiet)
    except ValueError as exc:
        raise reader.refusal(exc) from exc


def nested(depth: int) -> str:
    """A definition with arrays in arrays."""
    return '{"a":' + "[" * depth + "]" * depth + "}"


ONE, BIG, DEEP = [{"x": 1}], 1 << 63, nested(1000)
WRONG: dict[str, tuple[int, dict[str, Any], str]] = {
    "format of two lines": (HEADER, {"format": "1\n2"}, r"line 1: the dump has format '1\\n2'"),
    "horizon of many bits": (HEADER, {"horizon": BIG}, "line 1: member 'horizon' has a number that is out of range"),
    "horizon beyond the head": (HEADER, {"horizon": 16}, "line 1: a log with horizon 16 and head 15"),
    "head elsewhere": (HEADER, {"head": 14}, "line 1: a log with horizon 0 and head 14"),
    "kind": (WORKFLOW, {"kind": []}, "line 2: a record of kind 'workflow' is missing here"),
    "long value": (WORKFLOW, {"number": "x" * 9999}, "line 2: member .* wrong type: .{200,300}…$"),
    "number as text": (WORKFLOW, {"number": None, "numberText": "1"}, "line 2: member 'number' .* wrong type: None"),
    "states of a group": (
        WORKFLOW, {"document": {"groups": [{"name": "g", "states": ONE}], "name": "n", "states": [{"name": "s"}]}},
        "line 2: workflow 1: a name or description in its document is not a string: {'x': 1}",
    ),
    "history": (JOB, {"history": "x"}, "line 4: member 'history' has a value of the wrong type"),
    "entry": (JOB, {"history": [1]}, "line 4: a JSON object was to come instead of 1"),
    "no entries": (JOB, {"history": []}, "line 4: job .*: its history is not of the versions before 4"),
    "version": (JOB, {"version": 9}, "line 4: job .*: its history is not of the versions before 9"),
    "time": (JOB, {"mtime": 1 << 60}, "line 4: job .*: it has a time that is not in the years 1 to 9999"),
    "earlier than created": (JOB, {"mtime": 1}, "line 4: job .*: the times of its versions do not rise"),
    "tags": (JOB, {"tags": [1]}, "line 4: job .*: its tags are not strings in order"),
    "state": (JOB, {"state": "NEW"}, "line 4: job .*: its status has another state"),
    "deep definition": (JOB, {"definitionText": DEEP}, "line 4: .*recursion"),
    "definition": (JOB, {"definition": [], "definitionHash": hash_of({})}, "line 4: .* is not a JSON object"),
    "other job": (EVENT, {"jobId": "x"}, "line 9: event 3: its payload is about another job"),
    "time of an event": (EVENT, {"ctime": 1 << 60}, "line 9: event 3: it has a time that is not in the years"),
    "beyond the head": (CONSUMER, {"position": 16}, "line 22: consumer reader: its position 16 is not one of the log"),
    "device without an id": (DEVICE, {"clientId": ""}, "line 23: device : its client id is empty"),
    "device seen once": (DEVICE, {"firstSeen": None}, "line 23: device a: the times at which it was seen"),
    "device seen backwards": (DEVICE, {"firstSeen": 10}, "line 23: device a: the times at which it was seen first and"),
    "device out of time": (DEVICE, {"lastSeen": 1 << 60}, "line 23: device a: it has a time that is not in the years"),
    "device with a flag of 1": (DEVICE, {"unclaimed": 1}, "line 23: member 'unclaimed' has a value of the wrong type"),
    "attribute": (DEVICE, {"description": {"attributes": {"x y": "1"}, "labels": []}}, "line 23: device a: attribute"),
    "labels": (DEVICE, {"description": {"attributes": {}, "labels": ["b", "a"]}}, "line 23: device a: its attributes"),
    "key of a task": (TASK, {"key": "a\0"}, r"line 26: task a.: its key or its type is empty or too long, or has U"),
    "state of a task": (TASK, {"state": "LOST"}, "line 26: task t: 'LOST' is not a valid TaskState"),
    "attempts": (TASK, {"state": "DONE"}, "line 26: task t: it is DONE, and was attempted 0 times"),
    "time of a task": (TASK, {"mtime": 1 << 60}, "line 26: task t: it has a time that is not in the years"),
    "early task": (TASK, {"ctime": -1}, "line 26: task t: its times are before 1970"),
    "cause of a task": (TASK, {"cause": [1, 2, 3, 4, 5, 6]}, "line 26: task t: "),
    "points": (SCORE, {"points": 1e13}, "line 27: score p: 10000000000000.0 points are more than"),
    "whole points": (SCORE, {"points": 1}, "line 27: member 'points' has a value of the wrong type"),
    "actor": (SCORE, {"actorId": ""}, "line 27: score p: the actor of a score is no text of 1 to"),
    "reason": (SCORE, {"reason": "x" * 2001}, "line 27: score p: its reason is too long"),
    "time of points": (SCORE, {"ctime": 1 << 60}, "line 27: score p: it has a time that is not in the years"),
    "sequence": (SEQUENCE, {"name": ""}, "line 29: sequence : its name is empty"),
    "name of a script": (SCRIPT, {"name": "a\0"}, "line 30: script a.: its name is empty or too long, or it has U"),
    "source of a script": (SCRIPT, {"source": "x"}, "line 30: script calc: its source does not have the hash"),
    "time of a script": (SCRIPT, {"ctime": 1 << 60}, "line 30: script calc: it has a time that is not in the years"),
    "early script": (SCRIPT, {"ctime": -1}, "line 30: script calc: its time is before 1970"),
    "before anything": (CONSUMER, {"lost": -1}, "line 22: consumer reader: its steps and lost events are not"),
}  # fmt: skip


@pytest.mark.parametrize("version", [1, 2])
def test_dumps_of_releases_before(source: Path, tmp_path: Path, version: int) -> None:
    """A dump without what rules have left, and one without devices, can be imported."""
    header, *documents = records_of(source)
    lacks = ["tasks", "scores", "sequences", "scripts", *(["devices"] if version == 1 else [])]
    old = {name: count for name, count in header.items() if name not in lacks}
    kept = [document for document in documents if f"{document['kind']}s" not in lacks]
    imported([{**old, "format": version}, *kept], tmp_path / "wfx.db")
    assert_sound(tmp_path / "wfx.db")
    assert records_of(tmp_path / "wfx.db")[1:] == kept


@pytest.mark.parametrize("name", WRONG)
def test_wrong_lines(source: Path, tmp_path: Path, name: str) -> None:
    """A line that contradicts itself or those before it is refused by its number, also where all hashes match."""
    place, members, message = WRONG[name]
    documents = records_of(source)
    documents[place] |= members
    with pytest.raises(StoreUnusable, match=message) as refusal:
        imported(documents, tmp_path / "wfx.db")
    assert "\n" not in str(refusal.value)
    assert not (tmp_path / "wfx.db").exists()


def test_history_in_another_order(source: Path, tmp_path: Path) -> None:
    """History entries that are not in the order of their versions are refused."""
    documents = records_of(source)
    documents[JOB]["history"].reverse()
    with pytest.raises(StoreUnusable, match=r"line 4: job .*: the times of its versions do not rise"):
        imported(documents, tmp_path / "wfx.db")


def test_lines_that_contradict_others(source: Path, tmp_path: Path) -> None:
    """What no single line shows, such as a status that its events do not tell, is refused; nothing is left."""
    documents = records_of(source)
    documents[JOB]["status"]["message"] = "other"
    with pytest.raises(StoreUnusable, match=r"the records contradict each other.*the status of its events"):
        imported(documents, tmp_path / "wfx.db")
    assert list(tmp_path.iterdir()) == []


def test_files_of_others(source: Path, tmp_path: Path) -> None:
    """A database that is called as an unfinished import would be, and is none, stays as it is."""
    other = tmp_path / "wfx.db.importing"
    other.write_bytes(source.read_bytes())
    with pytest.raises(StoreUnusable, match=r"not the beginning of an import .*; move it away"):
        imported(records_of(source), tmp_path / "wfx.db")
    assert other.read_bytes() == source.read_bytes()


@pytest.mark.parametrize("ending", ["-wal", "-journal"])
def test_rest_of_a_former_database(source: Path, tmp_path: Path, ending: str) -> None:
    """The log of a database that was removed is not taken for a part of the imported one."""
    (tmp_path / f"wfx.db{ending}").write_text("former")
    with pytest.raises(StoreUnusable, match=f"wfx.db{ending} exists, which SQLite would take for a part of"):
        imported(records_of(source), tmp_path / "wfx.db")
    assert [entry.name for entry in tmp_path.iterdir()] == [f"wfx.db{ending}"]


def test_place_that_is_taken_meanwhile(source: Path, tmp_path: Path) -> None:
    """A file that came to be at the place during the import is not written over."""
    path = tmp_path / "wfx.db"
    with dump(source) as (header, records), pytest.raises(StoreUnusable, match="exists; an import makes a new file"):
        restore(path, header, records, lambda *_: _taken(path))
    assert path.read_text() == "precious"


def _taken(path: Path) -> None:
    path.write_text("precious")


def test_other_records_with_the_same_header(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is left of an import is not put together with other records; the call after that begins anew."""
    monkeypatch.setattr("wfx.store.sqlite.restoring._TOGETHER", 4)
    path, documents = tmp_path / "wfx.db", records_of(source)
    before = documents[JOB]["clientId"]
    documents[JOB]["clientId"] = "other"
    reader = DumpReader("dump", [json.dumps(document).encode() for document in documents[: EVENT + 1]])
    with pytest.raises(StoreUnusable, match="line 10: it ends here, but the dump is not whole"):
        restore(path, reader.header, reader.records(), quiet)
    documents[JOB]["clientId"] = before
    with pytest.raises(StoreUnusable, match="was not of these records, and was removed"):
        imported(documents, path)
    imported(documents, path)
    assert_sound(path)
    assert records_of(path)[1:] == documents[1:]


def test_a_refused_record_leaves_nothing(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An import that comes to a record that no store can have leaves no file: it would not go on."""
    monkeypatch.setattr("wfx.store.sqlite.restoring._TOGETHER", 4)
    documents = records_of(source)
    documents[EVENT]["seq"] = 9
    with pytest.raises(StoreUnusable, match="line 9: event 9: event 3 was to come here"):
        imported(documents, tmp_path / "wfx.db")
    assert list(tmp_path.iterdir()) == []


DAMAGE: dict[str, tuple[str, str]] = {
    "no text": ("UPDATE job SET client_id = CAST(x'ff' AS TEXT) WHERE number = 1", "job .* cannot be read"),
    "no number": ("UPDATE job SET stime = 'x' WHERE number = 1", "job .* cannot be read .*wrong type: 'x'"),
    "no JSON": ("UPDATE definition SET document = '{' WHERE job = 1", "job .* cannot be written"),
    "no name": ("UPDATE consumer SET name = x'ff'", "consumer .* cannot be read"),
    "no horizon": ("DELETE FROM meta", "the table meta cannot be read"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damaged_rows(source: Path, tmp_path: Path, name: str) -> None:
    """A database with a row that makes no record is not exported, and the row is named."""
    path = damaged(source, tmp_path / "damaged.db", DAMAGE[name][0])
    with pytest.raises(StoreUnusable, match=DAMAGE[name][1]):
        records_of(path)
    assert list(tmp_path.iterdir()) == [path]


def test_history_in_a_circle(source: Path, tmp_path: Path) -> None:
    """History entries that name themselves as those before them are read once."""
    path = damaged(source, tmp_path / "damaged.db", "UPDATE history SET earlier = number")
    assert [len(document["history"]) for document in records_of(path)[JOB : JOB + 3]] == [1, 1, 1]


def test_damaged_pages(source: Path, tmp_path: Path) -> None:
    """A database with pages that cannot be read is what the message of an import from it is about."""
    path = damaged(source, tmp_path / "damaged.db", "PRAGMA wal_checkpoint(TRUNCATE)")
    with closing(sqlite3.connect(path)) as connection:
        (page,) = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'definition'").fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    content = bytearray(path.read_bytes())
    content[(page - 1) * size + 8 : page * size] = b"\xff" * (size - 8)
    path.write_bytes(content)
    with pytest.raises(StoreUnusable, match=r"^cannot read .*damaged.db"), dump(path) as (header, records):
        restore(tmp_path / "new.db", header, records, quiet)


def damaged(source: Path, path: Path, statement: str) -> Path:
    """Copy the database and damage the copy."""
    path.write_bytes(source.read_bytes())
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(statement)
        connection.commit()
    return path
