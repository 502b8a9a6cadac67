"""Columns of tasks in tables and CSV."""

from __future__ import annotations

from wfxctl.documents import Document, text
from wfxctl.tables import Column
from wfxctl.times import local_time
from wfxctl.views import View


def _time(heading: str, member: str) -> Column:
    return Column(heading, lambda task: local_time(text(task, member)), 19, exact=lambda task: text(task, member))


def _group(task: Document) -> str:
    """Return what colours a row."""
    return {"DONE": "CLOSED", "FAILED": "FAILED"}.get(text(task, "state"), "OPEN")


TASKS = View(
    identity=lambda task: text(task, "id"),
    columns=(
        Column("ID", lambda task: text(task, "id")),
        Column("STATE", lambda task: text(task, "state"), 7),
        Column("ATTEMPTS", lambda task: text(task, "attempts")),
        _time("DUE", "due"),
        _time("CREATED", "ctime"),
        _time("CHANGED", "mtime"),
        Column("TARGET", lambda task: text(task, "target")),
        Column("RULE", lambda task: text(task, "rule")),
        Column("ACTION", lambda task: text(task, "action")),
        Column("KIND", lambda task: text(task, "kind")),
        Column("REQUEST", lambda task: text(task, "request_id")),
        Column("WEBHOOK", lambda task: text(task, "webhook_id")),
        Column("MESSAGE", lambda task: text(task, "message")),
    ),
    brief=("id", "state", "attempts", "due", "target", "rule", "action", "message"),
    group=_group,
)
