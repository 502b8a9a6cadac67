"""Handlers of the fleet API that create, change and delete many jobs at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain, islice
from typing import Any

from starlette.responses import Response

from wfx.api.bad_request import BodyFault, BodyInvalid
from wfx.api.bulk_inputs import BulkInput, NewJobs, ids_of, status_of
from wfx.api.cursor import cursor_of, read_cursor
from wfx.api.errors import listed_error
from wfx.api.handlers.fleet_jobs import list_query_of
from wfx.api.idempotency_key import given_key
from wfx.api.large_answers import parts_reply
from wfx.api.request import ApiRequest
from wfx.domain.device import LONGEST_ID
from wfx.domain.errors import WfxError, WorkflowNotFound
from wfx.domain.job_list import JobListQuery
from wfx.domain.json import encode
from wfx.events.position import event_id
from wfx.service.bulk import MOST, BulkAnswer, Key, Targets
from wfx.service.bulk_preview import FIRST
from wfx.service.bulk_work import BulkWork, Creation, Deletion, JobResult, JobWork, StatusUpdate, Tagging

_TOGETHER = 32
"""Jobs that a dry run looks at together."""
_SMALL = 64 * 1024
"""Bytes of a body whose fingerprint is made at once."""


async def create(request: ApiRequest) -> Response:
    """POST /jobs:batch."""
    made: BulkInput = request.body
    bulk, jobs = request.services.bulk, NewJobs(made)
    if _is_dry(request):
        lost = await _without_workflow(request, jobs)
        others = (place for place in range(len(jobs)) if place not in lost)
        first = [JobResult("", jobs.client_id(n), "", "", lost.get(n)) for n in islice(chain(lost, others), FIRST)]
        return await _reply(request, await bulk.given(len(jobs)), len(lost), [_written(first)])
    return await _carried_out(request, Creation(jobs.__getitem__, jobs.client_id), partial(bulk.given, len(jobs)))


async def _without_workflow(request: ApiRequest, jobs: NewJobs) -> dict[int, WorkflowNotFound]:
    """Return the places of the jobs whose workflow does not exist, with that error."""
    names: list[str] = []
    for place in range(len(jobs)):
        if place % _TOGETHER == 0:
            await asyncio.sleep(0)  # others have their turn
        names.append(jobs.workflow(place))
    existing = await request.services.workflows.existing(set(names))
    return {place: WorkflowNotFound(name) for place, name in enumerate(names) if name not in existing}


async def update(request: ApiRequest) -> Response:
    """POST /jobs:update."""
    return await _change(request, StatusUpdate(status_of(request.body)))


async def delete(request: ApiRequest) -> Response:
    """POST /jobs:delete."""
    return await _change(request, Deletion())


async def tag(request: ApiRequest) -> Response:
    """POST /jobs:tag."""
    return await _change(request, Tagging(request.body.head["add"], request.body.head["remove"]))


async def _change(request: ApiRequest, work: JobWork) -> Response:
    made: BulkInput = request.body
    if made.head["selection"] is None:
        ids = ids_of(made)
        if _is_dry(request):
            seen = await request.services.bulk.previews.of_ids(ids, work)
            return await _reply(
                request, await request.services.bulk.given(len(ids)), seen.failed, [_written(seen.first)]
            )
        return await _carried_out(request, work, partial(request.services.bulk.given, len(ids), ids))
    if _is_dry(request):
        query = _query_of(made)
        targets = await _selected(request, query, None)
        seen = await request.services.bulk.previews.of_selection(query, targets.total, work)
        return await _reply(request, targets, seen.failed, [_written(seen.first)])
    return await _carried_out(request, work, partial(_select, request))


def _is_dry(request: ApiRequest) -> bool:
    """Tell whether nothing is to be changed: then the request has no use for its key, which must be one all the same.

    Raises BadRequest.
    """
    is_dry: bool = request.body.head["dryRun"]
    if is_dry:
        given_key(request.scope["headers"])
    return is_dry


async def _carried_out(request: ApiRequest, work: BulkWork, find: Callable[[], Awaitable[Targets]]) -> Response:
    name = given_key(request.scope["headers"])
    key = None if name is None else Key(name, await _fingerprint(request))
    answer: BulkAnswer = await request.services.bulk.run(work, find, _shown, key)
    return await _reply(request, answer.targets, answer.failed, answer.results)


async def _fingerprint(request: ApiRequest) -> str:
    made: BulkInput = request.body
    if len(made.document) <= _SMALL:
        return made.fingerprint(request.context.operation)
    return await asyncio.to_thread(made.fingerprint, request.context.operation)


async def _select(request: ApiRequest) -> Targets:
    """Find the jobs that the selection in the body is about."""
    query, expect = _query_of(request.body), request.body.head["expect"]
    return await _selected(request, query, query.limit if expect is None else expect)


async def _selected(request: ApiRequest, query: JobListQuery, expect: int | None) -> Targets:
    targets = await request.services.bulk.select(query, expect)
    after = request.body.head["after"]
    if after and read_cursor(after)[0] != targets.position.log_id:
        raise BodyInvalid([BodyFault("/after", "the cursor is of another database; start again without it")])
    return targets


def _query_of(made: BulkInput) -> JobListQuery:
    after, limit = made.head["after"], made.head["limit"]
    return replace(
        list_query_of(made.head["selection"]),
        after=read_cursor(after)[1] if after else None,
        limit=MOST if limit is None else limit,
    )


async def _reply(request: ApiRequest, targets: Targets, failed: int, results: Sequence[str]) -> Response:
    is_dry: bool = request.body.head["dryRun"]
    parts = [_head(targets, failed, is_dry=is_dry)]
    for text in filter(None, results):
        parts += [b"," if len(parts) > 1 else b"", text.encode()]
    position = encode(event_id(*targets.position))
    return await parts_reply(request, [*parts, b'],"position":%b}' % position])


def _head(targets: Targets, failed: int, *, is_dry: bool) -> bytes:
    """Write what comes before the items."""
    shown: dict[str, Any] = {
        "dryRun": is_dry,
        "count": targets.count,
        "done": 0 if is_dry else targets.total - failed,
        "failed": failed,
        "rest": targets.count - targets.total,
    }
    if targets.next is not None:
        shown["next"] = cursor_of(*targets.next)
    return encode(shown)[:-1] + b',"items":['


def _written(results: Sequence[JobResult]) -> str:
    return b",".join(map(_shown, results)).decode()


def _shown(result: JobResult) -> bytes:
    """Write the item of one job."""
    job_id, client_id, state, outcome, error = result
    told = client_id if len(client_id) <= LONGEST_ID else ""
    members = {"id": job_id, "clientId": told, "state": state, "outcome": "failed" if error else outcome}
    shown: dict[str, Any] = {name: value for name, value in members.items() if value}
    if isinstance(error, WfxError):
        shown["error"] = listed_error(error)
    elif error is not None:
        raise error
    return encode(shown)
