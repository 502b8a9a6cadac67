"""What the storage option may look like for SQLite."""

from __future__ import annotations

from pathlib import Path

import pytest

from wfx.domain.errors import StoreUnusable
from wfx.store.sqlite.dsn import Location, file_of, parse


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        ("file:wfx.db?_fk=1&_journal=WAL", Location(Path("wfx.db"))),
        ("wfx.db", Location(Path("wfx.db"))),
        ("wfx.db?_busy_timeout=10", Location(Path("wfx.db"), busy_timeout=10)),
        ("/var/lib/wfx/wfx.db", Location(Path("/var/lib/wfx/wfx.db"))),
        ("file:/var/lib/wfx.db", Location(Path("/var/lib/wfx.db"))),
        ("file:///var/lib/wfx.db", Location(Path("/var/lib/wfx.db"))),
        ("file://localhost/var/lib/wfx.db", Location(Path("/var/lib/wfx.db"))),
        ("file:a%20b%3f.db", Location(Path("a b?.db"))),
        ("a%20b.db", Location(Path("a%20b.db"))),
        ("file:wfx.db#part", Location(Path("wfx.db"))),
        ("file:wfx?mode=memory&cache=shared&_fk=1", Location()),
        (":memory:", Location()),
        ("file::memory:?cache=shared", Location()),
        ("wfx.db?mode=rw", Location(Path("wfx.db"), may_create=False)),
        ("wfx.db?mode=rwc&cache=private&_txlock=immediate", Location(Path("wfx.db"))),
        ("wfx.db?_journal_mode=wal&_foreign_keys=true&_timeout=7", Location(Path("wfx.db"), busy_timeout=7)),
        ("wfx.db?_sync=2", Location(Path("wfx.db"))),
        ("wfx.db?_synchronous=extra", Location(Path("wfx.db"), synchronous="EXTRA")),
    ],
)
def test_every_form_names_its_place(option: str, expected: Location) -> None:
    """Paths, URIs, memory and the usual parameters are understood, without a warning."""
    assert parse(option) == expected


@pytest.mark.parametrize(
    ("option", "synchronous", "warning"),
    [
        ("wfx.db?_sync=1", "NORMAL", "_sync=1: acknowledged changes may be lost"),
        ("wfx.db?_synchronous=off", "OFF", "_synchronous=off: acknowledged changes may be lost"),
        ("wfx.db?_journal=DELETE", "FULL", "_journal=DELETE is not supported"),
        ("wfx.db?_journal_mode=wal2", "FULL", "_journal_mode=wal2 is not supported"),
        ("wfx.db?_fk=0", "FULL", "_fk=0 is not supported"),
        ("wfx.db?colour=red", "FULL", "parameter colour is unknown, and ignored"),
        ("wfx.db?_loc=", "FULL", "parameter _loc is unknown, and ignored"),
    ],
)
def test_what_does_not_do_what_it_says_is_warned_about(option: str, synchronous: str, warning: str) -> None:
    """A weaker sync is honoured, other settings are not; the operator is told of either."""
    location = parse(option)
    assert location.synchronous == synchronous
    assert len(location.warnings) == 1
    assert location.warnings[0].startswith(warning)


@pytest.mark.parametrize(
    ("option", "reason"),
    [
        ("", "names no database file"),
        ("file:", "names no database file"),
        ("?_fk=1", "names no database file"),
        ("file:wfx.db?mode=ro", "must be writable"),
        ("wfx.db?mode=sometimes", "mode must be one of"),
        ("wfx.db?_busy_timeout=soon", "_busy_timeout must be a number"),
        ("wfx.db?_busy_timeout=-1", "_busy_timeout must be a number"),
        ("wfx.db?_sync=4", "_sync must be one of"),
        ("file://elsewhere/wfx.db", "names a file on another host"),
    ],
)
def test_what_cannot_be_is_refused(option: str, reason: str) -> None:
    """An option that cannot be followed is refused with what is wrong about it."""
    with pytest.raises(StoreUnusable, match=reason):
        parse(option)


def test_the_address_of_another_database() -> None:
    """A data source of PostgreSQL is refused without a word of its password."""
    with pytest.raises(StoreUnusable, match=r"postgres://, which names no file of SQLite; give --storage postgres"):
        parse("postgres://user:hunter2@db.example/wfx")


@pytest.mark.parametrize("option", [
    "?password=hunter2", "file:?password=hunter2", "file://wfx:hunter2@elsewhere/wfx.db",
    "wfx.db?mode=rw;password=hunter2", "wfx.db?_busy_timeout=1;password=hunter2", "wfx.db?mode=ro&password=hunter2",
    "wfx:hunter2@tcp(db:3306)/wfx", "wfx:hunter2@unix(/run/mysql)/wfx", "host=db user=wfx password=hunter2",
    "file:host=db password=hunter2",
])  # fmt: skip
def test_refusals_without_passwords(option: str) -> None:
    """A refusal does not repeat a password that is in the option."""
    with pytest.raises(StoreUnusable) as refused:
        parse(option)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("option", ["_journal=DELETE;password=hunter2", "_fk=0;password=hunter2", "password=hunter2"])
def test_warnings_without_passwords(option: str) -> None:
    """A warning does not repeat a password that is joined to another parameter."""
    (warning,) = parse(f"wfx.db?{option}").warnings
    assert "hunter2" not in warning


def test_databases_in_memory_without_passwords() -> None:
    """Who needs a file is told that the option names none, without the password in it."""
    with pytest.raises(StoreUnusable, match="means a database in memory") as refused:
        file_of("file:x?mode=memory&password=hunter2", "a backup")
    assert "hunter2" not in str(refused.value)
