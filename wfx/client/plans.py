"""Requests of the API: what is sent, and how the answer is read."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Literal, TypeVar
from urllib.parse import quote, urlencode

from wfx.client.commands import Request, Response
from wfx.client.errors import Unreadable
from wfx.client.exchanging import RequestPlan
from wfx.client.models import Health, Job, Page, Status, Version, Workflow, page_of
from wfx.client.selection import listed

API = "/api/wfx/v1"
Result = TypeVar("Result")
Query = Sequence[tuple[str, str]]
Sort = Literal["asc", "desc"]
_NO_HEADERS: Mapping[str, str] = {}


def create_job(
    client_id: str, workflow: str, definition: Mapping[str, Any] | None = None, tags: Sequence[str] = ()
) -> RequestPlan[Job]:
    """Create a job for a device (north)."""
    body = {"clientId": client_id, "workflow": workflow, "definition": dict(definition or {}), "tags": listed(tags)}
    return planned("POST", "/jobs", Job.of, body=body)


def get_job(job_id: str, *, history: bool = False) -> RequestPlan[Job]:
    """Read a job."""
    return planned("GET", _job(job_id), Job.of, [("history", "true")] if history else [])


def list_jobs(
    *,
    client_id: str = "",
    state: str = "",
    groups: Sequence[str] = (),
    workflow: str = "",
    tags: Sequence[str] = (),
    sort: Sort = "asc",
    limit: int = 10,
    offset: int = 0,
    total: bool = False,
) -> RequestPlan[Page[Job]]:
    """Read a page of the jobs that meet all conditions; of several groups or tags one suffices."""
    wanted = [
        ("clientId", client_id), ("state", state), ("group", ",".join(listed(groups))), ("workflow", workflow),
        ("tag", ",".join(listed(tags))),
    ]  # fmt: skip
    place = [("sort", sort), ("limit", str(limit)), ("offset", str(offset))]
    counted = [("pagination", "true")] if total else []
    return planned(
        "GET", "/jobs", page_of(Job.of), [(name, value) for name, value in wanted if value] + place + counted
    )


def delete_job(job_id: str) -> RequestPlan[None]:
    """Delete a job (north)."""
    return planned("DELETE", _job(job_id))


def get_status(job_id: str) -> RequestPlan[Status]:
    """Read where a job stands."""
    return planned("GET", _job(job_id) + "/status", Status.of)


def update_status(
    job_id: str,
    state: str,
    *,
    client_id: str = "",
    progress: int | None = None,
    message: str = "",
    context: Mapping[str, Any] | None = None,
) -> RequestPlan[Status]:
    """Report on a job, as its device (south) or as an operator (north).

    The result may be further on than what was reported: a workflow may go on by itself. A report that was lost on the
    way is sent again, which a workflow allows: a job may go from a state to itself.
    """
    optional = {"clientId": client_id, "progress": progress, "message": message, "context": context}
    body = {"state": state} | {name: value for name, value in optional.items() if value not in ("", None)}
    return planned("PUT", _job(job_id) + "/status", Status.of, body=body)


def get_definition(job_id: str) -> RequestPlan[dict[str, Any]]:
    """Read what a job is to do."""
    return planned("GET", _job(job_id) + "/definition", _object)


def update_definition(job_id: str, definition: Mapping[str, Any]) -> RequestPlan[dict[str, Any]]:
    """Replace what a job is to do."""
    return planned("PUT", _job(job_id) + "/definition", _object, body=dict(definition))


def get_tags(job_id: str) -> RequestPlan[tuple[str, ...]]:
    """Read the tags of a job."""
    return planned("GET", _job(job_id) + "/tags", _words)


def add_tags(job_id: str, *tags: str) -> RequestPlan[tuple[str, ...]]:
    """Add tags to a job (north); gives all that it has then."""
    return planned("POST", _job(job_id) + "/tags", _words, body=list(tags))


def delete_tags(job_id: str, *tags: str) -> RequestPlan[tuple[str, ...]]:
    """Take tags from a job (north); gives those that are left."""
    return planned("DELETE", _job(job_id) + "/tags", _words, body=list(tags))


def create_workflow(document: Mapping[str, Any]) -> RequestPlan[Workflow]:
    """Store a workflow (north)."""
    return planned("POST", "/workflows", Workflow.of, body=dict(document))


def get_workflow(name: str) -> RequestPlan[Workflow]:
    """Read a workflow."""
    return planned("GET", "/workflows/" + segment(name), Workflow.of)


def list_workflows(
    *, sort: Sort = "asc", limit: int = 10, offset: int = 0, total: bool = False
) -> RequestPlan[Page[Workflow]]:
    """Read a page of the workflows."""
    counted = [("pagination", "true")] if total else []
    query = [("sort", sort), ("limit", str(limit)), ("offset", str(offset)), *counted]
    return planned("GET", "/workflows", page_of(Workflow.of), query)


def delete_workflow(name: str) -> RequestPlan[None]:
    """Delete a workflow that no job refers to (north)."""
    return planned("DELETE", "/workflows/" + segment(name))


def health() -> RequestPlan[Health]:
    """Ask whether the server works; Unavailable is raised if it does not."""
    return planned("GET", "/health", Health.of)


def version() -> RequestPlan[Version]:
    """Ask which server it is."""
    return planned("GET", "/version", Version.of)


def events_request(query: Query, last_position: str) -> Request:
    """Open a stream of events, behind a position if there is one."""
    headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": last_position} if last_position else {})
    return Request("GET", target("/jobs/events", query), headers)


def segment(name: str) -> str:
    """Encode one segment of a path; a slash in it stays part of the segment, and dots alone do not shorten the path."""
    if name in {".", ".."}:
        return "%2E" * len(name)
    return quote(name.encode("utf-8", "surrogateescape"), safe="$&+=:@")


def _job(job_id: str) -> str:
    if job_id == "events":
        raise ValueError('no job has the id "events": that is the name of the event stream')
    return "/jobs/" + segment(job_id)


def target(path: str, query: Query, base: str = API) -> str:
    """Return a path of an API, with its query, from the root of the server on."""
    encoded = urlencode(list(query), safe=",")
    return base + path + ("?" + encoded if encoded else "")


def _nothing(_given: Any) -> None:
    """Read an answer that says nothing more."""


def planned(
    method: str,
    path: str,
    read: Callable[[Any], Result] = _nothing,  # type: ignore[assignment]  # then the result is None
    query: Query = (),
    body: Any = None,
) -> RequestPlan[Result]:
    """Return the plan of a request whose answer is JSON."""
    return RequestPlan(request(method, target(path, query), body), partial(decoded, read))


def request(method: str, address: str, body: Any = None, headers: Mapping[str, str] = _NO_HEADERS) -> Request:
    """Return a request with a JSON body, unless that is None."""
    if body is None:
        return Request(method, address, headers)
    sent = json.dumps(body, ensure_ascii=False, allow_nan=False).encode()
    return Request(method, address, {"Content-Type": "application/json", **headers}, sent)


def decoded(read: Callable[[Any], Result], response: Response) -> Result:
    """Read the body of an answer. Raises Unreadable."""
    if read is _nothing or not response.body:
        return read(None)
    try:
        return read(json.loads(response.body))
    except (ValueError, RecursionError) as exc:
        raise Unreadable(f"the answer is not JSON: {exc}") from exc


def _object(given: Any) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise Unreadable("the answer is not a JSON object: is this a server of wfx?")
    return given


def _words(given: Any) -> tuple[str, ...]:
    if not isinstance(given, list):
        raise Unreadable("the answer is not a list: is this a server of wfx?")
    return tuple(map(str, given))
