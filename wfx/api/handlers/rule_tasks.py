"""Handlers that show tasks, and have failed ones done once more."""

from __future__ import annotations

from typing import Any

from wfx.api.reply import Reply, json_reply
from wfx.api.request import ApiRequest
from wfx.api.task_id import task_id_of
from wfx.domain.cause import decode_cause
from wfx.domain.json import encode
from wfx.domain.timestamp import rfc3339
from wfx.store.rule_records import Task, TaskQuery, TaskState
from wfx.tasks.progress import Progress
from wfx.tasks.shown import about


async def query(request: ApiRequest) -> Reply:
    """GET /tasks."""
    given = request.query
    state = TaskState(given["state"]) if given["state"] else None
    wanted = TaskQuery(
        given["kind"] or None, state, given["after"] or None, given["limit"], descending=given["sort"] == "desc"
    )
    page = await request.services.tasks.list(wanted)
    shown: dict[str, Any] = {"content": [*map(_shown, page.tasks)]}
    if page.next is not None:
        shown["next"] = page.next
    return json_reply(encode(shown))


async def replay(request: ApiRequest) -> Reply:
    """POST /tasks/{id}/replay."""
    return json_reply(encode(_shown(await request.services.tasks.replay(task_id_of(request, "id")))))


def _shown(task: Task) -> dict[str, Any]:
    """Show a task, without what it sends: addresses and bodies may have secrets in them."""
    progress = Progress.of(task.result)
    return {
        "id": task.id,
        "key": task.key,
        "kind": task.kind,
        "state": task.state,
        "due": rfc3339(max(task.due, task.ctime)),
        "attempts": progress.attempts,
        "message": f"the task cannot be read: {task.damage}" if task.damage else progress.message,
        "ctime": rfc3339(task.ctime),
        "mtime": rfc3339(task.mtime),
        "request_id": decode_cause(task.cause).request_id,
        **about(task),
    }
