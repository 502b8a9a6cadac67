"""Imports that are killed at any moment, and called again."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

from postgres_server import Postgres
from waiting import eventually

from tests.maintenance.many_records import dump_of
from tests.store.postgres_schemas import schemas
from wfx.store.postgres.connecting import Connector
from wfx.store.postgres.target import read_target

DUMP = dump_of(2000)
MOMENTS = (1, 1500, 3300, 5100)
"""Lines after which the import is killed, whatever it is doing with the last of them."""


def wfx(*words: str) -> list[str]:
    """Return what is typed."""
    return [sys.executable, "-m", "wfx", *words]


def kill_after(command: list[str], number: int, noted: Callable[[], int], together: int) -> None:
    """Run an import that gets the first lines of the dump, and kill it when it has noted those written together."""
    least = (number - 1) // together * together
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        assert process.stdin is not None
        process.stdin.write(b"".join(DUMP[:number]))
        process.stdin.flush()
        eventually(lambda: noted() >= least, "the import has written what it got")
        process.kill()


def sqlite_progress(folder: Path) -> int:
    """Return how many records an import into a file has noted."""
    try:
        with closing(sqlite3.connect(f"file:{folder}/wfx.db.importing?mode=ro", uri=True)) as connection:
            found: int = connection.execute("SELECT records FROM import_progress").fetchone()[0]
            return found
    except sqlite3.Error:
        return -1


def test_into_a_file(tmp_path: Path) -> None:
    """However often an import into a file is killed, the last call makes the same store as a single one."""
    options = (f"--storage-opt={tmp_path}/wfx.db",)
    for number in MOMENTS:
        kill_after(wfx("import", *options, "-"), number, partial(sqlite_progress, tmp_path), 2000)
        assert not (tmp_path / "wfx.db").exists()
    finish(options)
    assert [path.name for path in tmp_path.iterdir()] == ["wfx.db"]


def test_into_postgresql(postgres: Postgres, database: str, tmp_path: Path) -> None:
    """However often an import into PostgreSQL is killed, the last call makes the same store as a single one."""
    option = schemas(postgres, database)(tmp_path)
    options = ("--storage=postgres", f"--storage-opt={option}")

    async def noted() -> int:
        plain = await Connector(read_target(option))()
        try:
            if await plain.fetchval("SELECT to_regclass('import_progress')") is None:
                return -1
            found: int = await plain.fetchval("SELECT max(records) FROM import_progress")
            return found
        finally:
            await plain.close()

    for number in MOMENTS:
        kill_after(wfx("import", *options, "-"), number, lambda: asyncio.run(noted()), 1000)
    finish(options)


def finish(options: tuple[str, ...]) -> None:
    """Call the import once more, and compare what is there with the dump."""
    done = subprocess.run(
        wfx("import", *options, "-"), input=b"".join(DUMP), capture_output=True, timeout=120, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")
    shown = subprocess.run(wfx("export", *options, "-"), capture_output=True, timeout=120, check=True)
    assert shown.stdout.splitlines(keepends=True)[1:-1] == DUMP[1:-1]
    subprocess.run(wfx("check", *options), capture_output=True, timeout=120, check=True)
