"""Routes of the service: the operations of the OpenAPI documents with their handlers, and what lies beside the API."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from starlette.types import ASGIApp

from wfx.api import plain_errors, problems
from wfx.api.console import Console, favicon
from wfx.api.handlers import (
    about,
    events,
    fleet_bulk,
    fleet_devices,
    fleet_job,
    fleet_jobs,
    job_fields,
    jobs,
    limits,
    rule_events,
    rule_list,
    rule_scores,
    rule_tasks,
    scripts,
    workflows,
)
from wfx.api.refusals import UNKNOWN_PATH_ALLOWS
from wfx.api.request import Handler
from wfx.api.route_table import RouteTable
from wfx.api.services import Services
from wfx.api.spec import RULES, Operation, operations
from wfx.request_context import Side

BASE = "/api/wfx/v1"
_BOTH = frozenset(Side)
_NORTH = frozenset({Side.NORTH})
REFUSED_IN_LOWER_CASE = {("DELETE", f"{BASE}/jobs/events".encode())}
"""What the reference refuses in other words, since only its check of requests finds out (rest-api section 2)."""


@dataclass(frozen=True, slots=True)
class Route:
    """Where a handler is found, who may use it, and whether its answers can be filtered."""

    method: str
    path: str
    """The whole path; a segment in braces is a path parameter."""
    handler: Handler
    operation: str = ""
    """The operationId in the OpenAPI document; empty for what lies beside the API."""
    sides: frozenset[Side] = _BOTH
    filtered: bool = False
    """Whether a response filter applies."""
    hidden: bool = False
    """Whether the other side has no such path, where others refuse what is done there."""
    require: Callable[[Services], None] = lambda _: None
    """Raises WfxError where what the operation is about is off; nothing of the request is looked at then."""


@dataclass(frozen=True, slots=True)
class Mount:
    """An ASGI app that answers all requests for a path and what is below it, where no route is."""

    prefix: str
    """Begins with a slash and does not end with one."""
    app: ASGIApp
    sides: frozenset[Side] = _BOTH
    """Where it is; on the other side the path is unknown."""

    def covers(self, raw_path: bytes) -> bool:
        """Tell whether a path is the prefix or below it."""
        prefix = self.prefix.encode()
        return raw_path == prefix or raw_path.startswith(prefix + b"/")


HANDLERS: dict[str, Handler] = {
    "GetWorkflows": workflows.query,
    "PostWorkflows": workflows.create,
    "GetWorkflowsName": workflows.get,
    "DeleteWorkflowsName": workflows.delete,
    "GetJobs": jobs.query,
    "PostJobs": jobs.create,
    "GetJobsEvents": events.get,
    "GetJobsId": jobs.get,
    "DeleteJobsId": jobs.delete,
    "GetJobsIdStatus": job_fields.get_status,
    "PutJobsIdStatus": job_fields.put_status,
    "GetJobsIdDefinition": job_fields.get_definition,
    "PutJobsIdDefinition": job_fields.put_definition,
    "GetJobsIdTags": job_fields.get_tags,
    "PostJobsIdTags": job_fields.add_tags,
    "DeleteJobsIdTags": job_fields.delete_tags,
    "GetVersion": about.version,
    "GetHealth": about.health,
    "GetFleetDevices": fleet_devices.query,
    "DeleteFleetDevicesClientId": fleet_devices.delete,
    "GetFleetDevicesClientId": fleet_devices.get,
    "GetFleetDevicesClientIdAttributes": fleet_devices.get_attributes,
    "PutFleetDevicesClientIdAttributes": fleet_devices.put_attributes,
    "GetFleetJobs": fleet_jobs.query,
    "GetFleetJobsSummary": fleet_jobs.summarize,
    "GetFleetJobsId": fleet_job.get,
    "DeleteFleetJobsId": fleet_job.delete,
    "PutFleetJobsIdStatus": fleet_job.put_status,
    "PostFleetJobsBatch": fleet_bulk.create,
    "PostFleetJobsUpdate": fleet_bulk.update,
    "PostFleetJobsDelete": fleet_bulk.delete,
    "PostFleetJobsTag": fleet_bulk.tag,
    "PostRulesEvents": rule_events.create,
    "PostRulesEventsBatch": rule_events.create_batch,
    "GetRules": rule_list.query,
    "PostRulesReload": rule_list.reload,
    "GetRulesLimits": limits.show,
    "GetRulesScores": rule_scores.query,
    "GetRulesScoresActorId": rule_scores.get,
    "GetRulesScripts": scripts.query,
    "GetRulesScriptsName": scripts.get,
    "PutRulesScriptsName": scripts.put,
    "DeleteRulesScriptsName": scripts.delete,
    "GetRulesScriptsNameVersions": scripts.versions,
    "PostRulesScriptsNameRun": scripts.run,
    "GetRulesScriptsNameRuns": scripts.runs,
    "PostRulesScriptsNameRunsTaskReplay": scripts.replay,
    "GetRulesTasks": rule_tasks.query,
    "PostRulesTasksIdReplay": rule_tasks.replay,
}
"""By operationId; where an operation is found, and who may use it, is said in its document."""

BESIDE = (
    Route("GET", f"{BASE}/openapi.json", about.openapi),
    Route("GET", f"{BASE}/openapiv3.json", about.openapi),
    Route("GET", f"{BASE}/swagger.json", about.swagger),
    Route("GET", f"{problems.PREFIX}/openapi.json", about.fleet_openapi, sides=_NORTH),
    Route("GET", f"{plain_errors.PREFIX}/openapi.json", about.rules_openapi, sides=_NORTH, hidden=True),
    Route("GET", "/version", about.version),
    Route("GET", "/health", about.health),
    Route("GET", "/", about.index),
)
"""What is in no OpenAPI document."""


def _require_scripts(services: Services) -> None:
    services.scripts.require()


def service_mounts(services: Services) -> tuple[Mount, ...]:
    """Return the mounts of the service."""
    return (
        Mount("/download", services.downloads),
        Mount("/ui", Console(), _NORTH),
        Mount("/favicon.ico", favicon, _NORTH),
    )


def service_routes() -> tuple[Route, ...]:
    """Return all routes of the service."""
    return (*operation_routes(operations().values(), HANDLERS), *BESIDE)


@cache
def _methods() -> RouteTable[str]:
    return RouteTable((route.method, route.path, route.operation) for route in service_routes())


def allowed_methods(raw_path: bytes) -> str:
    """Return the methods that a path has, as ``Allow`` lists them; those of an unknown path are GET and HEAD."""
    found = _methods().find(raw_path)
    return ", ".join(sorted(found[0])) if found else UNKNOWN_PATH_ALLOWS


def operation_routes(described: Iterable[Operation], handlers: Mapping[str, Handler]) -> list[Route]:
    """Return a route for each operation. Raises ValueError unless operations and handlers correspond."""
    found = {each.id: each for each in described}
    if odd := found.keys() ^ handlers.keys():
        raise ValueError(f"operations without a handler, or handlers without an operation: {', '.join(sorted(odd))}")
    return [
        Route(
            each.method,
            each.base + each.path,
            handlers[each.id],
            each.id,
            each.sides,
            each.filtered,
            hidden=each.document == RULES,
            **({"require": _require_scripts} if each.path.startswith("/scripts") else {}),
        )
        for each in found.values()
    ]
