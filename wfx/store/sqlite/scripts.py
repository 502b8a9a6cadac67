"""Scripts as rows."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

from wfx.domain.json import Json
from wfx.domain.script_errors import ScriptNotFound, TooManyScripts
from wfx.domain.timestamp import Timestamp
from wfx.store import script_records
from wfx.store.operations import PutScript, ScriptOperation
from wfx.store.script_records import Script, ScriptHead, ScriptPage, ScriptQuestion, ScriptWanted, VersionsOfScript
from wfx.store.sqlite.rows import Row
from wfx.store.sqlite.statements import SQL


def perform(connection: sqlite3.Connection, operation: ScriptOperation, now: int) -> str | None:
    """Do an operation on scripts."""
    if isinstance(operation, PutScript):
        before = _put(connection, operation, now)
    else:
        before = None
        if not connection.execute(SQL["delete_current_script"], (operation.name,)).rowcount:
            raise ScriptNotFound(operation.name)
    connection.execute(SQL["drop_old_scripts"], (script_records.MOST_OLD_VERSIONS,))
    return before


def _put(connection: sqlite3.Connection, put: PutScript, now: int) -> str | None:
    before: Row | None = connection.execute(SQL["current_script"], (put.name,)).fetchone()
    if before is None and connection.execute(SQL["count_scripts"]).fetchone()[0] >= script_records.MOST_SCRIPTS:
        raise TooManyScripts(script_records.MOST_SCRIPTS)
    connection.execute(SQL["delete_current_script"], (put.name,))
    connection.execute(SQL["delete_script"], (put.name, put.sha256))
    row = (put.name, put.sha256, now, put.size, put.findings.decode(), put.source)
    number = connection.execute(SQL["insert_script"], row).lastrowid
    connection.execute(SQL["insert_current_script"], (put.name, number))
    return None if before is None else before[0]


def answer(connection: sqlite3.Connection, question: ScriptQuestion) -> Any:
    """Return what is asked for."""
    match question:
        case ScriptWanted(name, None):
            found = connection.execute(SQL["present_script"], (name,)).fetchone()
        case ScriptWanted(name, sha256):
            found = connection.execute(SQL["script_version"], (name, sha256)).fetchone()
        case ScriptPage(after, limit):
            with closing(connection.execute(SQL["scripts"], (after, limit))) as rows:
                return [_head(row) for row in rows]
        case VersionsOfScript(name):
            with closing(connection.execute(SQL["script_versions"], (name,))) as rows:
                return [_head(row) for row in rows]
    return None if found is None else Script(_head(found), found[-1])


def _head(row: Row) -> ScriptHead:
    name, sha256, ctime, size, findings, is_current = row[:6]
    return ScriptHead(name, sha256, Timestamp(ctime), size, Json(findings.encode()), bool(is_current))
