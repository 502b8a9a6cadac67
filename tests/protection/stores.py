"""Stores that services of these tests keep their values in: a file, or a database of PostgreSQL."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Protocol

from postgres_server import SUPERUSER, Postgres

from wfx.store.postgres.sealed_tables import TABLES as TABLES_OF_DATABASE
from wfx.store.sqlite.sealed_tables import TABLES as TABLES_OF_FILE


def on(postgres: Postgres, database: str) -> dict[str, str]:
    """Return the variables that name a database."""
    return {"WFX_STORAGE": "postgres", "WFX_STORAGE_OPT": postgres.conninfo(database)}


def database_of(place: dict[str, str]) -> str:
    """Return the name of the database that these variables name."""
    return place["WFX_STORAGE_OPT"].partition("dbname='")[2].partition("'")[0]


def in_database(postgres: Postgres, place: dict[str, str], begin: str) -> tuple[int, int]:
    """Return how many values begin so, and how many there are."""
    database = database_of(place)
    so = f"E'{begin}'"
    parts = [
        f"SELECT count(*) FILTER (WHERE starts_with({column}, {so})) AS so, count({column}) AS every FROM {table.name}"
        for table in TABLES_OF_DATABASE
        for column in table.columns
    ]
    (row,) = postgres.sql(f"SELECT sum(so), sum(every) FROM ({' UNION ALL '.join(parts)}) AS found", database)
    first, _, second = row.partition("|")
    return int(first), int(second)


def in_file(path: Path, head: bytes) -> tuple[int, int]:
    """Return how many values begin so, and how many there are."""
    found = [0, 0]
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as plain:
        for table in TABLES_OF_FILE:
            for column in table.columns:
                value = f"CAST({column} AS BLOB)"
                sql = f"SELECT count(*) FILTER (WHERE instr({value}, ?) = 1), count({column}) FROM {table.name}"
                some = plain.execute(sql, (head,)).fetchone()
                found = [one + other for one, other in zip(found, some, strict=True)]
    return found[0], found[1]


class Place(Protocol):
    """Where values are stored."""

    environment: dict[str, str]
    """The variables that name it."""
    folder: Path
    """Where all its files are."""

    def settle(self) -> None:
        """Have what is in memory written to the files."""

    def content(self) -> bytes:
        """Return all that is stored."""

    def written(self, key_id: str) -> tuple[int, int]:
        """Return how many values are sealed with the key of this id ("": with any), and how many there are."""


class FilePlace:
    """A file of SQLite."""

    def __init__(self, folder: Path) -> None:
        """Have it in this folder."""
        self.environment: dict[str, str] = {}
        self.folder = folder

    def settle(self) -> None:
        """Do nothing: the file and its log have all."""

    def content(self) -> bytes:
        """Return the bytes of the file."""
        return (self.folder / "wfx.db").read_bytes()

    def written(self, key_id: str) -> tuple[int, int]:
        """Look at the beginnings of all values."""
        return in_file(self.folder / "wfx.db", b"\x01" + key_id.encode())


class DatabasePlace:
    """A database of PostgreSQL."""

    def __init__(self, postgres: Postgres, name: str) -> None:
        """Use this database."""
        self.environment = on(postgres, name)
        self.folder = postgres.folder
        self._postgres, self._name = postgres, name

    def settle(self) -> None:
        """Have the pages written."""
        self._postgres.sql("CHECKPOINT")

    def content(self) -> bytes:
        """Return a dump."""
        lines = self._postgres.run(
            "pg_dump", "--inserts", "-h", str(self.folder), "-p", str(self._postgres.port), "-U", SUPERUSER, self._name
        ).splitlines()
        return "\n".join(line for line in lines if not line.startswith("\\")).encode()  # those have random words

    def written(self, key_id: str) -> tuple[int, int]:
        """Look at the beginnings of all values."""
        return in_database(self._postgres, self.environment, rf"\x01{key_id}")
