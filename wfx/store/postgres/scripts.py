"""Scripts as rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wfx.domain.json import Json
from wfx.domain.script_errors import ScriptNotFound, TooManyScripts
from wfx.domain.timestamp import Timestamp
from wfx.store import script_records
from wfx.store.operations import PutScript, ScriptOperation
from wfx.store.postgres.connections import Plain
from wfx.store.postgres.statements import SQL
from wfx.store.script_records import Script, ScriptHead, ScriptPage, ScriptQuestion, ScriptWanted, VersionsOfScript


async def perform(plain: Plain, operation: ScriptOperation, now: int) -> str | None:
    """Do an operation on scripts. If the answer is lost and it is done again, it says what the first time left."""
    before = None
    if isinstance(operation, PutScript):
        before = await _put(plain, operation, now)
    elif await plain.fetchval(SQL["delete_script"], operation.name) is None:
        raise ScriptNotFound(operation.name)
    await plain.execute(SQL["drop_old_scripts"], script_records.MOST_OLD_VERSIONS)
    return before


async def _put(plain: Plain, put: PutScript, now: int) -> str | None:
    values = (put.name, put.sha256, now, put.size, put.findings.decode(), put.source, script_records.MOST_SCRIPTS)
    row = await plain.fetchrow(SQL["put_script"], *values)
    assert row is not None
    if not row[0]:
        raise TooManyScripts(script_records.MOST_SCRIPTS)
    before: str | None = row[1]
    return before


async def answer(plain: Plain, question: ScriptQuestion) -> Any:
    """Return what is asked for."""
    match question:
        case ScriptWanted(name, sha256):
            row = await plain.fetchrow(SQL["script"], name, sha256)
            return None if row is None else Script(_head(row), row[-1])
        case ScriptPage(after, limit):
            rows = await plain.fetch(SQL["scripts"], after, limit)
        case VersionsOfScript(name):
            rows = await plain.fetch(SQL["script_versions"], name)
    return [_head(row) for row in rows]


def _head(row: Sequence[Any]) -> ScriptHead:
    name, sha256, ctime, size, findings, is_current = row[:6]
    return ScriptHead(name, sha256, Timestamp(ctime), size, Json(findings.encode()), is_current)
