"""Requests of the fleet API (north): what is sent, and how the answer is read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar
from uuid import uuid4

from wfx.client.commands import Response
from wfx.client.errors import fleet_refusal
from wfx.client.exchanging import RequestPlan
from wfx.client.fleet_models import (
    BulkResult,
    Device,
    DeviceAttributes,
    FleetPage,
    JobDetails,
    JobRow,
    NewJob,
    Summary,
    fleet_page_of,
)
from wfx.client.models import Document
from wfx.client.plans import Query, Sort, decoded, request, segment, target
from wfx.client.selection import Selection, duration, joined, listed, moment

API = "/api/fleet/v1"
MOST = 1000
"""Items of a page, at most."""
ALL = Selection()
_KEY = re.compile(r"[!#-\[\]-~]{1,128}")
Result = TypeVar("Result")
Which = Selection | Sequence[str]
"""Jobs: by conditions, or by their ids."""


def summarize_jobs(selection: Selection = ALL) -> RequestPlan[Summary]:
    """Count the jobs that meet the conditions by workflow, group and state, all at one moment (north)."""
    return _planned("GET", "/jobs/summary", Summary.of, selection.parameters())


def list_rows(
    selection: Selection = ALL, *, sort: Sort = "asc", limit: int = MOST, after: str = ""
) -> RequestPlan[FleetPage[JobRow]]:
    """Read a page of the jobs that meet the conditions, as rows (north); ``after`` is the ``next`` of a page."""
    query = [*selection.parameters(), *_place(sort, limit, after)]
    return _planned("GET", "/jobs", fleet_page_of(JobRow.of), query)


def create_jobs(
    jobs: Iterable[NewJob],
    *,
    workflow: str = "",
    definition: Document | None = None,
    tags: Sequence[str] = (),
    dry_run: bool = False,
    key: str = "",
) -> RequestPlan[BulkResult]:
    """Create up to 10,000 jobs, each on its own (north).

    Workflow, definition and tags are for all that do not say otherwise. The request has an idempotency key, a new one
    unless ``key`` gives it, so it is sent again where its outcome is not known, and carried out once.
    """
    common = {"workflow": workflow or None, "definition": definition, "tags": listed(tags) or None}
    body = {name: value for name, value in common.items() if value is not None}
    return _bulk("/jobs:batch", body | {"jobs": [job.members() for job in jobs]}, dry_run=dry_run, key=key)


def update_jobs(
    which: Which,
    state: str,
    *,
    progress: int | None = None,
    message: str = "",
    context: Mapping[str, Any] | None = None,
    dry_run: bool = False,
    expect: int | None = None,
    limit: int | None = None,
    after: str = "",
    key: str = "",
) -> RequestPlan[BulkResult]:
    """Move jobs to a state, as the operator (north).

    ``which`` are conditions, or up to 10,000 ids. ``dry_run`` counts, and shows the first jobs. If more than ``expect``
    jobs meet the conditions, SelectionTooLarge is raised and nothing is changed. ``limit`` and ``after`` do a part of
    them: the result tells in ``rest`` and ``next`` what the next request expects, and goes on behind. The key is as in
    ``create_jobs``.
    """
    body = {"status": _status(state, progress, message, context)} | _which(which, expect, limit, after)
    return _bulk("/jobs:update", body, dry_run=dry_run, key=key)


def delete_jobs(
    which: Which,
    *,
    dry_run: bool = False,
    expect: int | None = None,
    limit: int | None = None,
    after: str = "",
    key: str = "",
) -> RequestPlan[BulkResult]:
    """Delete jobs with their histories; the parameters are those of ``update_jobs`` (north)."""
    return _bulk("/jobs:delete", _which(which, expect, limit, after), dry_run=dry_run, key=key)


def tag_jobs(
    which: Which,
    *,
    add: Sequence[str] = (),
    remove: Sequence[str] = (),
    dry_run: bool = False,
    expect: int | None = None,
    limit: int | None = None,
    after: str = "",
    key: str = "",
) -> RequestPlan[BulkResult]:
    """Remove tags from jobs, and add tags; the other parameters are those of ``update_jobs`` (north)."""
    words = {name: listed(tags) for name, tags in (("add", add), ("remove", remove)) if tags}
    return _bulk("/jobs:tag", words | _which(which, expect, limit, after), dry_run=dry_run, key=key)


def get_details(job_id: str) -> RequestPlan[JobDetails]:
    """Read a job with its definition, and with what tells whether it has changed since (north)."""
    return _tagged("GET", f"/jobs/{segment(job_id)}", JobDetails.of)


def move_job(
    job_id: str,
    state: str,
    *,
    progress: int | None = None,
    message: str = "",
    context: Mapping[str, Any] | None = None,
    if_match: str = "",
) -> RequestPlan[JobDetails]:
    """Move a job to a state, as the operator (north).

    With ``if_match``, the ``etag`` that was read before, JobModified is raised if the job has changed since. Such a
    request is not sent again where its outcome is not known.
    """
    body = _status(state, progress, message, context)
    return _tagged("PUT", f"/jobs/{segment(job_id)}/status", JobDetails.of, body, if_match)


def delete_unchanged(job_id: str, if_match: str) -> RequestPlan[None]:
    """Delete a job unless it has changed since its ``etag`` was read, else JobModified is raised (north)."""
    sent = request("DELETE", target(f"/jobs/{segment(job_id)}", (), API), headers={"If-Match": if_match})
    return RequestPlan(sent, lambda _: None, fleet_refusal)


def list_devices(
    *,
    client_id_prefix: str = "",
    labels: Sequence[str] = (),
    attributes: Mapping[str, str] | None = None,
    version: str = "",
    seen_after: datetime | None = None,
    seen_before: datetime | None = None,
    not_seen_for: timedelta | None = None,
    where: str = "",
    sort: Sort = "asc",
    limit: int = MOST,
    after: str = "",
) -> RequestPlan[FleetPage[Device]]:
    """Read a page of the devices that meet all conditions, in the order of their client ids (north)."""
    conditions = [
        ("clientIdPrefix", client_id_prefix),
        ("label", joined(labels)),
        ("attribute", joined(f"{name}:{value}" for name, value in (attributes or {}).items())),
        ("version", version),
        ("seenAfter", moment(seen_after) if seen_after else ""),
        ("seenBefore", moment(seen_before) if seen_before else ""),
        ("notSeenFor", "" if not_seen_for is None else duration(not_seen_for)),
        ("filter", where),
    ]
    query = [*((name, value) for name, value in conditions if value), *_place(sort, limit, after)]
    return _planned("GET", "/devices", fleet_page_of(Device.of), query)


def get_device(client_id: str) -> RequestPlan[Device]:
    """Read what is known of a device (north)."""
    return _planned("GET", _device(client_id), Device.of)


def get_attributes(client_id: str) -> RequestPlan[DeviceAttributes]:
    """Read what operators say about a device, with what tells whether it has changed since (north)."""
    return _tagged("GET", _device(client_id) + "/attributes", DeviceAttributes.of)


def describe_device(
    client_id: str, *, attributes: Mapping[str, str] | None = None, labels: Sequence[str] = (), if_match: str = ""
) -> RequestPlan[DeviceAttributes]:
    """Replace what operators say about a device, which need not be known yet (north).

    With ``if_match``, the ``etag`` that was read before, DeviceChanged is raised if somebody else has changed it since.
    Such a request is not sent again where its outcome is not known.
    """
    body = {"attributes": dict(attributes or {}), "labels": listed(labels)}
    return _tagged("PUT", _device(client_id) + "/attributes", DeviceAttributes.of, body, if_match)


def delete_device(client_id: str) -> RequestPlan[None]:
    """Forget a device that no job refers to, else DeviceInUse is raised (north)."""
    return RequestPlan(request("DELETE", target(_device(client_id), (), API)), lambda _: None, fleet_refusal)


def _planned(method: str, path: str, read: Callable[[Any], Result], query: Query = ()) -> RequestPlan[Result]:
    return RequestPlan(request(method, target(path, query, API)), partial(decoded, read), fleet_refusal)


def _tagged(
    method: str, path: str, read: Callable[[Any, str], Result], body: Any = None, if_match: str = ""
) -> RequestPlan[Result]:
    """Return the plan of a request whose answer has an ETag."""

    def read_answer(response: Response) -> Result:
        etag = response.headers.get("etag", "")
        return decoded(lambda given: read(given, etag), response)

    sent = request(method, target(path, (), API), body, {"If-Match": if_match} if if_match else {})
    return RequestPlan(sent, read_answer, fleet_refusal)


def _status(state: str, progress: int | None, message: str, context: Mapping[str, Any] | None) -> dict[str, Any]:
    optional = {"progress": progress, "message": message or None, "context": context}
    return {"state": state} | {name: value for name, value in optional.items() if value is not None}


def _bulk(path: str, body: dict[str, Any], *, dry_run: bool, key: str) -> RequestPlan[BulkResult]:
    if key and not _KEY.fullmatch(key):
        raise ValueError("a key has 1 to 128 visible ASCII characters, none of them a quote or backslash")
    headers = {"Idempotency-Key": f'"{key or uuid4()}"'}
    sent = request("POST", target(path, (), API), body | ({"dryRun": True} if dry_run else {}), headers)
    return RequestPlan(sent, partial(decoded, BulkResult.of), fleet_refusal)


def _which(which: Which, expect: int | None, limit: int | None, after: str) -> dict[str, Any]:
    if isinstance(which, str):
        raise TypeError("give a list of ids, or a Selection")
    if isinstance(which, Selection):
        found: dict[str, Any] = {"selection": which.members()}
        if not found["selection"]:
            raise ValueError("a selection without conditions would be all jobs: name at least one")
    else:
        found = {"ids": list(which)}
    optional = {"expect": expect, "limit": limit, "after": after or None}
    return found | {name: value for name, value in optional.items() if value is not None}


def _place(sort: Sort, limit: int, after: str) -> Query:
    return [("sort", sort), ("limit", str(limit)), *([("after", after)] if after else [])]


def _device(client_id: str) -> str:
    if not client_id:
        raise ValueError("a client id is needed")
    return "/devices/" + segment(client_id)
