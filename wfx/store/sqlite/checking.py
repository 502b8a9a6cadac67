"""Consistency check of a database, while a server may be using it.

Everything is read in one read-only transaction, so the state that is judged is one that was once committed. A database
of any size is gone through row by row; what has to be sorted for that, SQLite sorts in temporary files.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from wfx.domain.errors import StoreUnusable
from wfx.protection.sealing import Sealing
from wfx.store.findings import UNREADABLE, Finding, Progress, Report, finding, quiet
from wfx.store.schema_version import older
from wfx.store.sqlite.check_jobs import check_jobs
from wfx.store.sqlite.migrate import migrations, version_of
from wfx.store.sqlite.rows import workflow_state_rows
from wfx.store.sqlite.sealed_tables import check_sealed, open_tables
from wfx.store.sqlite.statements import SQL, load
from wfx.store.sqlite.workflow_cache import read

_CHECKS = load("checks.sql")
_PULSE = 200_000
"""Steps of SQLite's machine between two chances to be interrupted; some milliseconds."""
_DAMAGES = 100
"""How many of SQLite's own findings to ask for."""
_GAVE_UP = "damage beyond what can be described"

_Check = Callable[[sqlite3.Connection, Progress], Iterable[Finding]]


def check(path: Path, progress: Progress = quiet, sealing: Sealing | None = None) -> Report:
    """Examine the database. Blocks; the file may be in use by a server. Sealed values are opened by these keys.

    Raises StoreUnusable if it cannot be opened or is not a database of this program at its present version.
    """
    report = Report(str(path))
    with reading(path) as connection:
        require_current(connection, str(path))
        parts = dict(_PARTS)
        if open_tables(connection, str(path), sealing, strict=False) is not None:
            parts["the sealed values"] = check_sealed(sealing)
        for name, part in parts.items():
            report.add(_readable(name, part(connection, progress)))
        report.add(_readable("the number of rows", _measure(connection, report)))
    return report


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """See one state of the database without writing to it.

    Raises StoreUnusable if it cannot be opened, or is not a database of this program with something in it.
    """
    if not path.is_file():
        raise StoreUnusable(f"there is no database file {path}")
    try:
        with (
            tidied(path),
            closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)) as opened,
        ):
            opened.execute("BEGIN")
            if version_of(opened, migrations(), str(path)) == 0:
                raise StoreUnusable(f"{path} is an empty database: nothing was ever stored in it")
            # What is no text is found where it is looked at, and not by an error in between.
            opened.text_factory = lambda text: text.decode(errors="surrogateescape")
            # Python notices Ctrl-C only when some of its own code runs.
            opened.set_progress_handler(lambda: 0, _PULSE)
            yield opened
    except sqlite3.Error as exc:
        raise unreadable(path, exc) from exc


def unreadable(path: Path, error: sqlite3.Error) -> StoreUnusable:
    """Make the exception for a database that cannot be read. Raises KeyboardInterrupt if reading was interrupted."""
    if _was_interrupted(error):
        raise KeyboardInterrupt from error
    return StoreUnusable(f"cannot read {path}: {error}")


@contextmanager
def tidied(path: Path) -> Iterator[None]:
    """Let SQLite remove the empty files that readers without the right to write leave beside a database."""
    alone = not path.with_name(f"{path.name}-wal").exists()
    try:
        yield
    finally:
        if alone:
            with suppress(sqlite3.Error), closing(sqlite3.connect(path)) as connection:
                connection.execute("SELECT 1 FROM sqlite_schema").fetchone()


def require_current(connection: sqlite3.Connection, name: str) -> None:
    """Raise StoreUnusable unless the database has the present version of the tables."""
    steps = migrations()
    present = version_of(connection, steps, name)
    if present < len(steps):
        raise older(name, present, len(steps))


def _readable(what: str, findings: Iterable[Finding]) -> Iterator[Finding]:
    """Pass findings on; where the file itself cannot be read any further, that is one, and the last."""
    try:
        yield from findings
    except sqlite3.DatabaseError as exc:
        if _was_interrupted(exc):
            raise
        yield finding("file", what, "pages that can be read", exc)


def _check_file(connection: sqlite3.Connection, progress: Progress) -> Iterator[Finding]:
    progress("pages of the file", 0, 0)
    for where, text in _damages(connection):
        yield finding("file", where, "an intact database", text)
    progress("references between tables", 0, 0)
    for table, row, parent, _ in connection.execute("PRAGMA foreign_key_check"):
        yield finding("reference", f"{table} {row}", f"the row of {parent} that it refers to", "none")


def _damages(connection: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    """Let SQLite look for damage: where, and what. Its thorough check gives up over some; then table by table tells."""
    lines = _complaints(connection, f"integrity_check({_DAMAGES})")
    yield from (("the file", line) for line in lines)
    if lines[:1] == [_GAVE_UP]:
        for (table,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall():
            yield from ((f"table {table}", line) for line in _complaints(connection, f"quick_check({table})"))


def _complaints(connection: sqlite3.Connection, pragma: str) -> list[str]:
    try:
        rows = connection.execute(f"PRAGMA {pragma}").fetchall()
    except sqlite3.DatabaseError as exc:
        if _was_interrupted(exc):
            raise
        return [_GAVE_UP, str(exc)]
    lines = [line for (text,) in rows for line in text.splitlines()]
    return [line for line in lines if line != "ok" and not line.startswith("***")]


def _was_interrupted(error: sqlite3.Error) -> bool:
    return getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_INTERRUPT


def _check_tables(connection: sqlite3.Connection, progress: Progress) -> Iterator[Finding]:
    for number, (name, sql) in enumerate(_CHECKS.items()):
        progress("log and tables", number, len(_CHECKS))
        yield from _readable(name, _check_rule(connection, name, sql))


def _check_rule(connection: sqlite3.Connection, name: str, sql: str) -> Iterator[Finding]:
    for row, expected, found in connection.execute(sql):
        yield finding(name, row, expected, found)


def _check_workflows(connection: sqlite3.Connection, progress: Progress) -> Iterator[Finding]:
    progress("workflows", 0, 0)
    states = 'SELECT number, workflow, state, "group" FROM workflow_state WHERE workflow = ? ORDER BY number'
    for number, name, deleted, document in connection.execute("SELECT number, name, deleted, document FROM workflow"):
        row = f"workflow {number}"
        try:
            workflow = read(number, document)
        except UNREADABLE as exc:
            yield finding("workflow", row, "a document that can be read", repr(exc))
            continue
        if workflow.name != name:
            yield finding("workflow", row, f"the name of its document, {workflow.name}", name)
        present = connection.execute(states, (number,)).fetchall()
        wanted = [] if deleted is not None else workflow_state_rows(workflow)
        if present != wanted:
            yield finding("workflow_state", row, f"the states {wanted}", present)


def _measure(connection: sqlite3.Connection, report: Report) -> Iterator[Finding]:
    """Enter how much there is; like the checks, it may come to pages that cannot be read."""
    (log_id,) = connection.execute(SQL["ping"]).fetchone() or (None,)
    oldest, newest = connection.execute("SELECT min(seq), max(seq) FROM event").fetchone()
    report.log = {"id": log_id, "oldest": oldest, "newest": newest}
    for table in ("job", "event", "history", "workflow"):
        report.examined[table] = connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608 - names
    for name, position, steps, lost in connection.execute(SQL["consumers"]):
        report.consumers[str(name)] = {"position": position, "steps": steps, "lost": lost}
    yield from ()


_PARTS: Mapping[str, _Check] = {
    "the file": _check_file,
    "the log and the tables": _check_tables,
    "the workflows": _check_workflows,
    "the jobs": check_jobs,
}
