"""Handlers that keep scripts and run them."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial
from typing import Any

from wfx.api.bad_request import BadRequest
from wfx.api.reply import Reply, json_reply
from wfx.api.request import ApiRequest
from wfx.api.script_inputs import ScriptRun
from wfx.api.task_id import task_id_of
from wfx.domain.cause import decode_cause
from wfx.domain.json import Json, decode, encode
from wfx.domain.timestamp import rfc3339
from wfx.reactions.script_tasks import refusal_of
from wfx.scripts.runs import LIMITS, Fault, Outcome, Purpose, RunRequest, RunResult
from wfx.service.script_runs import ListedRun, ScriptRuns
from wfx.store.script_records import Script, ScriptHead
from wfx.tasks.progress import Progress
from wfx.tasks.shown import origin

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\Z", re.ASCII)
_LONGEST = 100
"""Characters of a name."""
_STATUS = {
    **dict.fromkeys((*LIMITS, Outcome.BUSY), 408),
    **dict.fromkeys((Outcome.SYNTAX, Outcome.ERROR, Outcome.RESULT), 422),
    Outcome.ENDED: 409,
    Outcome.FAILED: 503,
}
"""By how a run ended that gave no result."""


async def query(request: ApiRequest) -> Reply:
    """GET /scripts."""
    after, limit = request.query["after"], request.query["limit"]
    found = await request.services.scripts.list(after, limit)
    page: dict[str, Any] = {"content": [*map(_shown, found)]}
    if len(found) == limit:
        page["next"] = found[-1].name
    return json_reply(encode(page))


async def put(request: ApiRequest) -> Reply:
    """PUT /scripts/{name}."""
    name = request.path["name"]
    if len(name) > _LONGEST or not _NAME.match(name):
        raise BadRequest(
            f"parameter 'name': '{name[:120]}' is no name of a script: 1 to 100 letters, digits, dots, hyphens and "
            "underscores, the first a letter or a digit"
        )
    stored = await request.services.scripts.put(name, request.body, dry_run=request.query["dryRun"])
    return json_reply(encode(_shown(stored.head)), 200 if request.query["dryRun"] or stored.before else 201)


async def get(request: ApiRequest) -> Reply:
    """GET /scripts/{name}."""
    script = await request.services.scripts.get(request.path["name"], request.query["version"] or None)
    return json_reply(encode({**_shown(script.head), "source": script.source}))


async def versions(request: ApiRequest) -> Reply:
    """GET /scripts/{name}/versions."""
    found = await request.services.scripts.versions(request.path["name"])
    return json_reply(encode({"content": [*map(_shown, found)]}))


async def delete(request: ApiRequest) -> Reply:
    """DELETE /scripts/{name}."""
    await request.services.scripts.delete(request.path["name"])
    return Reply(204)


async def run(request: ApiRequest) -> Reply:
    """POST /scripts/{name}/run."""
    version = request.query["version"] or None
    purpose = Purpose(request_id=request.context.request_id)
    result = await request.services.scripts.run(request.path["name"], version, partial(_made, request.body), purpose)
    if result.outcome is Outcome.DONE and (refused := await refusal_of(result.value)):
        result = replace(result, outcome=Outcome.RESULT, fault=Fault(refused))
    if result.outcome is Outcome.DONE:
        more = b"," if len(result.value) > len(b"{}") else b""
        return json_reply(Json(b'{"operations":%d%b%b' % (result.operations, more, result.value[1:])))
    headers = ((b"retry-after", b"1"),) if result.outcome in (Outcome.BUSY, Outcome.FAILED) else ()
    return json_reply(encode(_failure(result)), _STATUS[result.outcome], headers)


async def runs(request: ApiRequest) -> Reply:
    """GET /scripts/{name}/runs."""
    found = ScriptRuns(request.services.rule_store, request.services.scripts)
    page = await found.list(request.path["name"], request.query["after"] or None, request.query["limit"])
    shown: dict[str, Any] = {"content": [*map(_run_shown, page.runs)]}
    if page.next is not None:
        shown["next"] = page.next
    return json_reply(encode(shown))


async def replay(request: ApiRequest) -> Reply:
    """POST /scripts/{name}/runs/{task}/replay."""
    task_id = task_id_of(request, "task")
    found = ScriptRuns(request.services.rule_store, request.services.scripts)
    kept, again = await found.replay(request.path["name"], task_id)
    shown = {"equal": kept.is_repeated_by(again), "run": kept._asdict(), "replayed": again._asdict()}
    return json_reply(encode(shown))


def _run_shown(run: ListedRun) -> dict[str, Any]:
    task = run.task
    shown: dict[str, Any] = {
        "task": task.id,
        "state": task.state,
        "message": Progress.of(task.result).message,
        "ctime": rfc3339(task.ctime),
        "mtime": rfc3339(task.mtime),
        "request_id": decode_cause(task.cause).request_id,
        **origin(task),
    }
    return shown if run.kept is None else shown | {"run": run.kept._asdict()}


def _made(given: ScriptRun, script: Script) -> RunRequest:
    return RunRequest(script.source, given.payload, given.next, given.nflow_data, given.seed, given.time)


def _failure(result: RunResult) -> dict[str, Any]:
    fault = result.fault
    shown: dict[str, Any] = {
        "error": fault.message if fault is not None else f"the run ended: {result.outcome}",
        "outcome": result.outcome,
        "operations": result.operations,
    }
    if fault is not None and fault.position is not None:
        shown |= {"line": fault.position.line, "column": fault.position.column}
    return shown


def _shown(head: ScriptHead) -> dict[str, Any]:
    return {
        "name": head.name,
        "sha256": head.sha256,
        "ctime": rfc3339(head.ctime),
        "size": head.size,
        "current": head.is_current,
        "findings": decode(head.findings),
    }
