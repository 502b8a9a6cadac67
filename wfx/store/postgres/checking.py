"""Consistency check of a PostgreSQL database, while servers may be using it.

Everything is read in one read-only transaction, so the state that is judged is one that was once committed. Damaged
pages are PostgreSQL's own to find (``pg_amcheck``, data checksums).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from wfx.domain.errors import StoreUnusable
from wfx.domain.json import Json
from wfx.domain.workflow import Workflow
from wfx.protection.sealing import Sealing
from wfx.store.findings import UNREADABLE, Finding, Progress, Report, finding, quiet
from wfx.store.named_statements import read_statements
from wfx.store.postgres.blocking import BlockingConnection, one_state
from wfx.store.postgres.check_events import check_events
from wfx.store.postgres.check_jobs import check_jobs
from wfx.store.postgres.enrolment import read
from wfx.store.postgres.migrate import VERSION_TABLE, migrations, of_another_implementation, without_version
from wfx.store.postgres.reference_rows import is_theirs
from wfx.store.postgres.sealed_rows import sealing_of
from wfx.store.postgres.sealed_tables import check_sealed
from wfx.store.postgres.statements import SQL
from wfx.store.postgres.unfinished_import import import_of
from wfx.store.schema_version import newer, older

_CHECKS = read_statements(Path(__file__).parent / "checks.sql")


def check(option: str, progress: Progress = quiet, sealing: Sealing | None = None) -> Report:
    """Examine the database. Raises StoreUnusable if it cannot be read or does not have the present tables.

    Sealed values are opened with the keys.
    """
    with one_state(option, sealing) as connection:
        require_current(connection)
        return examine(connection, progress)


def examine(connection: BlockingConnection, progress: Progress) -> Report:
    """Examine the present tables in the transaction that the connection is in."""
    report = Report(connection.name)
    workflows: dict[int, Workflow] = {}
    report.add(_check_tables(connection, progress))
    report.add(_read_workflows(connection, workflows))
    report.add(check_events(connection, workflows, progress))
    report.add(check_jobs(connection, workflows, progress))
    report.add(check_sealed(connection, progress))
    _measure(connection, report)
    return report


def require_current(connection: BlockingConnection) -> None:
    """Raise StoreUnusable unless it has the present version of the tables, no unfinished import, and the keys fit."""
    name, latest = connection.name, migrations()[-1].number
    ((known,),) = connection.fetch("SELECT to_regclass($1) IS NOT NULL", VERSION_TABLE)
    if not known:
        if is_theirs(connection):
            raise of_another_implementation(name)
        raise StoreUnusable(f"the database {name} has no data of wfx")
    versions = connection.fetch(SQL["versions"])
    if not versions:
        raise without_version(name)
    ((present, _),) = versions
    if present > latest:
        raise newer(name, present, latest, advice="use the newer program for this")
    if present < latest:
        raise older(name, present, latest)
    if connection.run(import_of(connection.plain)) is not None:
        raise StoreUnusable(f"an import into the database {name} is not finished; call it again")
    connection.run(read(connection.plain)).require(sealing_of(connection.plain), name)


def _check_tables(connection: BlockingConnection, progress: Progress) -> Iterator[Finding]:
    for number, (name, sql) in enumerate(_CHECKS.items()):
        progress("log and tables", number, len(_CHECKS))
        for row, expected, found in connection.rows(sql):
            yield finding(name, row, expected, found)


def _read_workflows(connection: BlockingConnection, workflows: dict[int, Workflow]) -> Iterator[Finding]:
    for number, name, text in connection.rows("SELECT number, name, document FROM workflow ORDER BY number"):
        row = f"workflow {number}"
        try:
            workflow = workflows[number] = Workflow.from_encoded(Json(text.encode()), number)
        except UNREADABLE as exc:
            yield finding("workflow", row, "a document that can be read", repr(exc))
            continue
        if workflow.name != name:
            yield finding("workflow", row, f"the name of its document, {workflow.name}", name)


def _measure(connection: BlockingConnection, report: Report) -> None:
    ((log_id, head, horizon),) = connection.fetch("SELECT log_id, head, horizon FROM log LIMIT 1") or [("", 0, 0)]
    kept = head > horizon
    report.log = {"id": log_id, "oldest": horizon + 1 if kept else None, "newest": head if kept else None}
    for table in ("job", "event", "history", "workflow"):
        ((count,),) = connection.fetch(f"SELECT count(*) FROM {table}")  # noqa: S608 - names
        report.examined[table] = count
    for name, position, steps, lost in connection.fetch(SQL["consumers"]):
        report.consumers[name] = {"position": position, "steps": steps, "lost": lost}
