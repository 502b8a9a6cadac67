"""Table of routes, and look-up of a route by raw path."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from wfx.api import sse
from wfx.api.call import Handler
from wfx.api.handlers import about, job_fields, jobs, workflows
from wfx.api.side import Side

BASE = "/api/wfx/v1"
_BOTH = frozenset(Side)
_NORTH = frozenset({Side.NORTH})


@dataclass(frozen=True, slots=True)
class Route:
    """One operation: where it is found, who may use it, and what it runs."""

    method: str
    path: str
    """A segment in braces matches anything and becomes the path parameter; a last segment ``**`` matches any rest."""
    handler: Handler
    operation: str = ""
    """The operationId in the OpenAPI document; empty for what lies beside the API."""
    sides: frozenset[Side] = _BOTH
    filtered: bool = False
    """Whether a response filter applies."""


ROUTES = (
    Route("GET", f"{BASE}/workflows", workflows.query, "GetWorkflows", filtered=True),
    Route("POST", f"{BASE}/workflows", workflows.create, "PostWorkflows", _NORTH, filtered=True),
    Route("GET", f"{BASE}/workflows/{{name}}", workflows.get, "GetWorkflowsName", filtered=True),
    Route("DELETE", f"{BASE}/workflows/{{name}}", workflows.delete, "DeleteWorkflowsName", _NORTH),
    Route("GET", f"{BASE}/jobs", jobs.query, "GetJobs", filtered=True),
    Route("POST", f"{BASE}/jobs", jobs.create, "PostJobs", _NORTH, filtered=True),
    Route("GET", f"{BASE}/jobs/events", sse.events, "GetJobsEvents"),
    Route("GET", f"{BASE}/jobs/{{id}}", jobs.get, "GetJobsId", filtered=True),
    Route("DELETE", f"{BASE}/jobs/{{id}}", jobs.delete, "DeleteJobsId", _NORTH),
    Route("GET", f"{BASE}/jobs/{{id}}/status", job_fields.get_status, "GetJobsIdStatus", filtered=True),
    Route("PUT", f"{BASE}/jobs/{{id}}/status", job_fields.put_status, "PutJobsIdStatus", filtered=True),
    Route("GET", f"{BASE}/jobs/{{id}}/definition", job_fields.get_definition, "GetJobsIdDefinition", filtered=True),
    Route("PUT", f"{BASE}/jobs/{{id}}/definition", job_fields.put_definition, "PutJobsIdDefinition", filtered=True),
    Route("GET", f"{BASE}/jobs/{{id}}/tags", job_fields.get_tags, "GetJobsIdTags", filtered=True),
    Route("POST", f"{BASE}/jobs/{{id}}/tags", job_fields.add_tags, "PostJobsIdTags", _NORTH, filtered=True),
    Route("DELETE", f"{BASE}/jobs/{{id}}/tags", job_fields.delete_tags, "DeleteJobsIdTags", _NORTH, filtered=True),
    Route("GET", f"{BASE}/version", about.version, "GetVersion"),
    Route("GET", f"{BASE}/health", about.health, "GetHealth"),
    Route("GET", f"{BASE}/openapi.json", about.openapi),
    Route("GET", f"{BASE}/openapiv3.json", about.openapi),
    Route("GET", f"{BASE}/swagger.json", about.swagger),
    Route("GET", "/version", about.version),
    Route("GET", "/health", about.health),
    Route("GET", "/", about.index),
    Route("GET", "/download", about.no_download),
    Route("GET", "/download/**", about.no_download),
)


_MOST_KNOWN, _LONGEST_KNOWN = 8192, 256
"""Paths that are remembered, and bytes of such a path: at most some 5 MB."""
_NO_PARAMETERS = frozenset((b"", b".", b".."))
"""Segments that are cleaned from a path before it is looked up (RFC 3986 section 5.2.4)."""


class Table:
    """Finds routes by raw path: segments are compared as they were sent, and parameters decoded once."""

    def __init__(self, routes: Sequence[Route] = ROUTES) -> None:
        """Index the routes: those without parameters by path, the others by path with the parameter blanked out."""
        self._by_path: dict[bytes, dict[str, Route]] = {}
        self._below: dict[bytes, dict[str, Route]] = {}
        self._places: dict[int, set[int]] = {}
        self._known: dict[bytes, tuple[dict[str, Route], str]] = {}
        """What was found of late: devices ask for the same few paths again and again."""
        for route in routes:
            segments = ["{}" if s.startswith("{") else s for s in route.path.split("/")]
            if segments[-1] == "**":
                self._below[route.path[:-2].encode()] = {route.method: route}
                continue
            self._by_path.setdefault("/".join(segments).encode(), {})[route.method] = route
            if "{}" in segments:
                self._places.setdefault(len(segments), set()).add(segments.index("{}"))

    def find(self, raw_path: bytes) -> tuple[dict[str, Route], str] | None:
        """Return the routes of a path by method, and its decoded parameter; None for an unknown path."""
        found = self._known.get(raw_path)
        if found is None and (found := self._look_up(raw_path)) is not None and len(raw_path) <= _LONGEST_KNOWN:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known[raw_path] = found
        return found

    def _look_up(self, raw_path: bytes) -> tuple[dict[str, Route], str] | None:
        if (routes := self._by_path.get(raw_path)) is not None and b"{" not in raw_path:
            return routes, ""
        segments = raw_path.split(b"/")
        for place in self._places.get(len(segments), ()):
            parameter, segments[place] = segments[place], b"{}"
            if parameter not in _NO_PARAMETERS and (routes := self._by_path.get(b"/".join(segments))) is not None:
                return routes, decode(parameter)
            segments[place] = parameter
        return next(((routes, "") for start, routes in self._below.items() if raw_path.startswith(start)), None)


def decode(segment: bytes) -> str:
    """Undo percent-encoding. What is no UTF-8 becomes U+FFFD, which no id or name contains, so it finds nothing."""
    return unquote_to_bytes(segment).decode("utf-8", "replace")
