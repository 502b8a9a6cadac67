"""What the service should do: rest-api sections 5 to 10 in memory, without any code of the service itself.

Documents are decoded JSON, and times are left out: whoever compares removes them and looks at their order.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

Document = dict[str, Any]


class Refused(Exception):
    """The service should refuse, with this status and error code."""

    def __init__(self, status: int, code: str) -> None:
        """Say how."""
        super().__init__(status, code)
        self.status = status
        self.code = code


def outcome(act: Callable[[], Any]) -> Any:
    """What the act returns, or the refusal."""
    try:
        return act()
    except Refused as refused:
        return refused


NO_JOB = (404, "wfx.jobNotFound")


@dataclass
class Job:
    """A job as it should be."""

    id: str
    client: str
    workflow: Document
    tags: set[str]
    definition: Document | None
    status: Document
    history: list[Document] = field(default_factory=list)
    """Newest first."""
    overtaken: str = ""
    """The report that the service has led on from at once, while nothing else has happened."""

    @property
    def group(self) -> str:
        """The first group with the present state."""
        groups = (g["name"] for g in self.workflow.get("groups", ()) if self.status["state"] in g["states"])
        return next(groups, "")

    def shown(self, tags: Sequence[str] | None = None) -> Document:
        """The job in an answer; as the answer to its creation with the tags that were asked for."""
        document = {
            "id": self.id,
            "clientId": self.client,
            "workflow": self.workflow,
            "status": self.status,
            "tags": sorted(self.tags) if tags is None else list(tags),
        }
        if self.definition:
            document["definition"] = self.definition
        return document


class Model:
    """Workflows, jobs and the log."""

    def __init__(self) -> None:
        self.workflows: dict[str, Document] = {}
        self.jobs: dict[str, Job] = {}
        self.log: list[tuple[str, Document]] = []
        """Actions, and the job members of their events."""
        self.numbers: list[int] = []
        """The numbers of these events."""
        self.head = 0
        """The number of the newest event; those of workflows have numbers and are shown to nobody."""

    def create_workflow(self, workflow: Document, *, sound: bool) -> Document:
        """Keep a workflow without its empty members."""
        if not sound:
            raise Refused(400, "wfx.workflowInvalid")
        if workflow["name"] in self.workflows:
            raise Refused(400, "wfx.workflowNotUnique")
        kept = {name: value for name, value in workflow.items() if value}
        self.workflows[workflow["name"]] = kept
        self.head += 1
        return kept

    def get_workflow(self, name: str) -> Document:
        """Find a workflow."""
        if name not in self.workflows:
            raise Refused(404, "wfx.workflowNotFound")
        return self.workflows[name]

    def delete_workflow(self, name: str) -> None:
        """Drop a workflow that no job uses."""
        self.get_workflow(name)
        if any(job.workflow["name"] == name for job in self.jobs.values()):
            raise Refused(400, "wfx.invalidRequest")
        del self.workflows[name]
        self.head += 1

    def create_job(self, job_id: str, request: Document) -> Document:
        """Start a job under the id that the service chose."""
        if request["workflow"] not in self.workflows:
            raise Refused(400, "wfx.workflowNotFound")
        workflow = self.workflows[request["workflow"]]
        definition = request.get("definition")
        state = settle(workflow, initial(workflow))
        status = {"state": state, "clientId": request["clientId"], "definitionHash": hash_of(definition or {})}
        tags = request.get("tags", ())
        job = self.jobs[job_id] = Job(job_id, request["clientId"], workflow, set(tags), definition, status)
        answer = job.shown(tags)
        if "tags" not in request:
            del answer["tags"]
        self._log("CREATE", answer)
        return answer

    def job(self, job_id: str) -> Job:
        """Find a job."""
        if job_id not in self.jobs:
            raise Refused(*NO_JOB)
        return self.jobs[job_id]

    def put_status(self, job_id: str, wanted: Document, actor: str) -> Document:
        """Move a job, or let it stay and say something new."""
        job = self.job(job_id)
        origin, target = job.status["state"], wanted["state"]
        repeated = job.overtaken == target and any((to, who) == (target, actor) for _, to, who in edges(job.workflow))
        if origin != target and not repeated and (origin, target, actor) not in edges(job.workflow):
            raise Refused(400, "wfx.invalidRequest")
        final = settle(job.workflow, target)
        fingerprint = {"definitionHash": job.status["definitionHash"]}
        status = {name: value for name, value in wanted.items() if value or name in ("progress", "context")}
        job.history.insert(0, {"status": job.status})
        if final != target and status.keys() & {"progress", "message", "context"}:
            job.history.insert(0, {"status": status | fingerprint})
        job.status = (status if final == target else {"state": final}) | fingerprint
        self._record(job, "UPDATE_STATUS", {"status": job.status})
        job.overtaken = target if final != target else ""
        return job.status

    def put_definition(self, job_id: str, definition: Document) -> Document:
        """Replace a job's definition."""
        job = self.job(job_id)
        replaced = job.definition and json.dumps(job.definition) != json.dumps(definition)
        entry = {"status": job.status, **({"definition": job.definition} if replaced else {})}
        job.history.insert(0, entry)
        fresh = hash_of(definition)
        job.status = job.status | {"definitionHash": fresh}
        job.definition = definition
        event = {"definition": definition} if definition else {}
        self._record(job, "UPDATE_DEFINITION", {**event, "status": {"definitionHash": fresh, "state": ""}})
        return definition

    def change_tags(self, job_id: str, action: str, tags: Iterable[str]) -> list[str]:
        """Add or delete tags."""
        job = self.job(job_id)
        job.history.insert(0, {"status": job.status})
        job.tags = job.tags.union(tags) if action == "ADD_TAGS" else job.tags.difference(tags)
        self._record(job, action, {"tags": sorted(job.tags)})
        return sorted(job.tags)

    def delete_job(self, job_id: str) -> None:
        """Drop a job."""
        self._record(self.job(job_id), "DELETE", {})
        del self.jobs[job_id]

    def _record(self, job: Job, action: str, members: Document) -> None:
        job.overtaken = ""
        about = {"id": job.id, "clientId": job.client, "workflow": {"name": job.workflow["name"]}}
        self._log(action, {**about, **members})

    def _log(self, action: str, about: Document) -> None:
        self.log.append((action, about))
        self.head += 1
        self.numbers.append(self.head)

    def find(self, wanted: Document) -> list[Document]:
        """List the jobs that meet all conditions, oldest first."""
        return [job.shown() for job in self.jobs.values() if all(_meets(job, *pair) for pair in wanted.items())]


def _meets(job: Job, name: str, wanted: Any) -> bool:
    match name:
        case "clientId":
            return wanted in ("", job.client)
        case "state":
            return wanted in ("", job.status["state"])
        case "workflow":
            return wanted in ("", job.workflow["name"])
        case "group":
            return job.group in wanted
    return not job.tags.isdisjoint(wanted)


def page(found: list[Document], *, sort: str, limit: int, offset: int, pagination: bool) -> Document:
    """Cut out the page that was asked for."""
    ordered = found if sort == "asc" else found[::-1]
    rest = ordered[max(offset, 0) :]
    document: Document = {"content": rest[:limit] if limit > 0 else rest}
    if pagination:
        document["pagination"] = {"limit": limit, "offset": offset, "total": len(found)}
    return document


def edges(workflow: Document) -> set[tuple[str, str, str]]:
    """All steps: from, to, and who may take them."""
    return {(t["from"], t["to"], t["eligible"]) for t in workflow.get("transitions", ())}


def initial(workflow: Document) -> str:
    """The state that no other leads to."""
    entered = {t["to"] for t in workflow.get("transitions", ()) if t["from"] != t["to"]}
    return next(str(state["name"]) for state in workflow["states"] if state["name"] not in entered)


def settle(workflow: Document, state: str) -> str:
    """Follow immediate steps of the service to their end."""
    steps = {
        t["from"]: t["to"]
        for t in workflow.get("transitions", ())
        if t["eligible"] == "WFX" and t.get("action") == "IMMEDIATE"
    }
    while state in steps:
        state = steps[state]
    return state


def hash_of(definition: Document) -> str:
    """The fingerprint of a definition (rest-api section 7)."""
    return hashlib.sha256(_canonical(definition).encode()).hexdigest()


def _canonical(value: Any) -> str:
    match value:
        case dict():
            pairs = sorted((f'"{name}"'.encode(), member) for name, member in value.items())
            return "[" + ",".join(f"{name.decode()}:{_canonical(member)}" for name, member in pairs) + "]"
        case list():
            return "[" + ",".join(map(_canonical, value)) + "]"
        case str():
            return f'"{value}"'
        case None:
            return "<invalid Value>"
        case bool():
            return "t" if value else "f"
    mantissa, exponent = _shortest(float(value))
    return f"{mantissa}E{exponent:+03d}"


def _shortest(number: float) -> tuple[str, int]:
    """Mantissa and exponent of the shortest digits that give the double again; Python prints these."""
    sign, digits, exponent = Decimal(repr(number)).as_tuple()
    assert isinstance(exponent, int), "neither NaN nor infinite"
    text = "".join(map(str, digits))
    significant = text.rstrip("0") or "0"
    mantissa = "-" * sign + significant[0] + ("." + significant[1:]).rstrip(".")
    return mantissa, exponent + len(text) - 1 if significant != "0" else 0


def printed(value: Any) -> str:
    """One text for each JSON value: 1 and 1.0 are the same, 0 and -0 are not."""
    return json.dumps(_doubles(value), sort_keys=True, ensure_ascii=False)


def _doubles(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _doubles(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_doubles(item) for item in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value
