"""What the commands for webhooks have in common: how they ask the API of rules, and the columns of their tables."""

from __future__ import annotations

from typing import Any

from wfx.commandline.failures import Failure
from wfxctl.documents import Document, text
from wfxctl.failures import RefusedByServer
from wfxctl.invocation import ClientInvocation, Query, decoded
from wfxctl.tables import Column
from wfxctl.targets import RULES_PATH, Side
from wfxctl.times import local_time
from wfxctl.views import View


def fetch(call: ClientInvocation, method: str, path: str, query: Query = ()) -> Any:
    """Return the decoded answer of the API of rules. Raises Failure for a server that has none."""
    try:
        return decoded(call.api(Side.NORTH, base=RULES_PATH).fetch(method, path, query))
    except RefusedByServer as exc:
        if exc.status == 404 and not exc.body.strip():
            raise Failure("the server has no tasks: it is older than this command") from exc
        raise


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
    brief=("id", "state", "attempts", "due", "target", "action", "message"),
    group=_group,
)
