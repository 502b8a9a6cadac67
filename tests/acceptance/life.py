"""State machine of requests from both sides: each answer and the log are compared with the contract's model."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

import httpx
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    multiple,
    precondition,
    rule,
)

from tests.acceptance import documents
from tests.acceptance.answers import CUTS, Times, decoded
from tests.acceptance.documents import FORBIDDEN, MALFORMED
from tests.acceptance.model import Document, Model, Refused, edges, outcome, page, printed

BASE = "/api/wfx/v1"
UNKNOWN_JOB = "00000000-0000-4000-8000-000000000000"
ACTORS = {"north": "WFX", "south": "CLIENT"}
TRUE, FALSE = ("1", "t", "T", "TRUE", "true", "True"), ("0", "f", "F", "FALSE", "false", "False")


class Life(RuleBasedStateMachine):
    """Anything that can happen to workflows and jobs, in any order."""

    jobs = Bundle("jobs")
    sides = st.sampled_from(("north", "south"))
    cuts = st.just("") | st.sampled_from(sorted(CUTS))
    steps = st.integers(0, 2) | st.integers(0, 7)
    workflow_names = st.sampled_from((*documents.WORKFLOWS, "unknown"))

    def __init__(self, clients: dict[str, httpx.Client]) -> None:
        super().__init__()
        self.clients = clients
        self.model = Model()
        self.times = Times()
        self.start = self.read_log("now", {})["next"]
        self.agrees = True

    @initialize(
        target=jobs,
        workflows=st.lists(documents.workflows(), min_size=2, max_size=3),
        requests=st.lists(documents.jobs, min_size=2, max_size=4),
    )
    def begin(self, workflows: list[Document], requests: list[Document]) -> Any:
        """Store some workflows and start some jobs, so that there is something to do."""
        for workflow in workflows:
            self.create_workflow(workflow, "none", "")
        names = list(self.model.workflows)
        return multiple(
            *(
                self.started(request | {"workflow": names[number % len(names)]})
                for number, request in enumerate(requests)
            )
        )

    @rule(workflow=documents.workflows(), fault=st.just("none") | st.sampled_from(sorted(documents.FAULTS)), cut=cuts)
    def create_workflow(self, workflow: Document, fault: str, cut: str) -> None:
        """Store a workflow; some are spoilt, some have a name that is taken."""
        workflow = workflow | documents.FAULTS[fault](workflow)
        self.ask(
            "north",
            "POST",
            "/workflows",
            lambda: self.model.create_workflow(workflow, sound=fault == "none"),
            body=workflow,
            status=201,
            cut=cut,
        )

    @rule(side=sides, name=workflow_names, cut=cuts)
    def get_workflow(self, side: str, name: str, cut: str) -> None:
        """Read a workflow."""
        self.ask(side, "GET", f"/workflows/{name}", lambda: self.model.get_workflow(name), cut=cut)

    @rule(name=workflow_names)
    def delete_workflow(self, name: str) -> None:
        """Delete a workflow, which may be in use."""
        self.ask("north", "DELETE", f"/workflows/{name}", lambda: self.model.delete_workflow(name), status=204)

    @rule(side=sides, paging=documents.pagings, cut=cuts)
    def list_workflows(self, side: str, paging: Document, cut: str) -> None:
        """List workflows by name."""
        self.ask(side, "GET", "/workflows", lambda: page(self.all_workflows(), **paging), query=paging, cut=cut)

    @rule(target=jobs, request=documents.jobs, number=st.integers(0, 4), cut=st.sampled_from(("", ".")))
    def create_job(self, request: Document, number: int, cut: str) -> Any:
        """Start a job, mostly of a workflow that is there."""
        names = [*self.model.workflows, "unknown"]
        request = request | {"workflow": names[number % len(names)]}
        if request["workflow"] != "unknown":
            return self.started(request, cut)
        self.ask("north", "POST", "/jobs", lambda: self.model.create_job("", request), body=request, cut=cut)
        return multiple()

    @rule(job=jobs, moves=st.lists(st.tuples(sides, steps, documents.statuses, cuts), min_size=1, max_size=5))
    def work(self, job: str, moves: list[tuple[str, int, Document, str]]) -> None:
        """Move a job some steps, from both sides."""
        for move in moves:
            self.put_status(job, *move)

    @rule(side=sides, job=jobs, definition=documents.definitions, cut=cuts)
    def put_definition(self, side: str, job: str, definition: Document, cut: str) -> None:
        """Replace a definition."""
        self.ask(
            side,
            "PUT",
            f"/jobs/{job}/definition",
            lambda: self.model.put_definition(job, definition),
            body=definition,
            cut=cut,
        )

    @rule(
        job=jobs,
        method=st.sampled_from(("POST", "DELETE")),
        tags=st.lists(documents.tags, min_size=1, max_size=4),
        cut=cuts,
    )
    def change_tags(self, job: str, method: str, tags: list[str], cut: str) -> None:
        """Add or delete tags."""
        action = "ADD_TAGS" if method == "POST" else "DELETE_TAGS"
        self.ask(
            "north", method, f"/jobs/{job}/tags", lambda: self.model.change_tags(job, action, tags), body=tags, cut=cut
        )

    @rule(side=sides, job=jobs, spelling=st.sampled_from((*TRUE, *FALSE)), cut=cuts)
    def get_job(self, side: str, job: str, spelling: str, cut: str) -> None:
        """Read a job, with its history or without."""
        self.ask(
            side,
            "GET",
            f"/jobs/{job}",
            lambda: self.shown(job, history=spelling in TRUE),
            query={"history": spelling},
            cut=cut,
            strip=self.times.take,
        )

    @rule(side=sides, job=jobs, part=st.sampled_from(("status", "definition", "tags")), cut=cuts)
    def get_part(self, side: str, job: str, part: str, cut: str) -> None:
        """Read a part of a job."""
        self.ask(side, "GET", f"/jobs/{job}/{part}", lambda: self.part(job, part), cut=cut)

    @rule(queries=st.lists(st.tuples(sides, documents.conditions, documents.pagings, cuts), min_size=2, max_size=5))
    def find_jobs(self, queries: list[tuple[str, Document, Document, str]]) -> None:
        """List jobs that meet conditions."""
        for side, conditions, paging, cut in queries:
            query = {name: value if isinstance(value, str) else ",".join(value) for name, value in conditions.items()}
            self.ask(
                side,
                "GET",
                "/jobs",
                partial(self.found, conditions, paging),
                query={**query, **paging},
                cut=cut,
                strip=self.times.take_all,
            )

    @precondition(lambda self: len(self.model.jobs) > 2)
    @rule(job=consumes(jobs))
    def delete_job(self, job: str) -> None:
        """Delete a job; after that it is not found, however it is asked for. Its device sees that it has ended."""
        self.ask("north", "DELETE", f"/jobs/{job}", lambda: self.model.delete_job(job), status=204)
        self.get_job("north", job, "true", "")
        assert self.clients["south"].get(f"/jobs/{job}").json()["status"]["message"] == "the job was deleted"
        for side in ("north", "south"):
            self.put_status(job, side, 0, {}, "")
            self.put_definition(side, job, {}, "")
            self.get_part(side, job, "tags", "")
        self.change_tags(job, "POST", ["a"], "")
        answer = self.clients["north"].delete(f"/jobs/{job}")
        assert (answer.status_code, answer.json()) == (404, {})

    @rule(malformed=st.sampled_from(MALFORMED), forbidden=st.sampled_from(FORBIDDEN), job=jobs | st.just(UNKNOWN_JOB))
    def be_refused(self, malformed: tuple[str, str, bytes], forbidden: tuple[str, str, bytes], job: str) -> None:
        """What is not well-formed is a text 400, what devices may not do an empty 403; nothing changes."""
        for client in self.clients.values():
            answer = self.raw(client, malformed, job)
            assert (answer.status_code, answer.headers["content-type"]) == (400, "text/plain; charset=utf-8")
            assert answer.text.count("\n") == 1
        answer = self.raw(self.clients["south"], forbidden, job)
        assert (answer.status_code, answer.content) == (403, b"")

    @rule(
        job=jobs | st.none(),
        client=st.none() | st.sampled_from(documents.CLIENTS),
        workflow=st.none() | workflow_names,
        actions=st.sets(st.sampled_from(("CREATE", "update_status", "DELETE"))),
        skipped=st.integers(0, 5),
    )
    def find_events(
        self, job: str | None, client: str | None, workflow: str | None, actions: set[str], skipped: int
    ) -> None:
        """Read the events of a job, a client or a workflow, and of these some kinds."""
        given = {"jobIds": job, "clientIds": client, "workflows": workflow, "actions": ",".join(sorted(actions))}
        skipped = min(skipped, len(self.model.log))
        wanted = [
            (action, about)
            for action, about in self.model.log[skipped:]
            if (not actions or action in map(str.upper, actions))
            and (
                not (job or client or workflow)
                or job == about["id"]
                or client == about["clientId"]
                or workflow == about["workflow"]["name"]
            )
        ]
        found = self.read_log(
            self.position(self.model.numbers[skipped - 1] if skipped else 0),
            {name: value for name, value in given.items() if value},
        )
        assert self.events_of(found) == [(action, printed(about)) for action, about in wanted[:1000]]

    def teardown(self) -> None:
        """Compare all that is there with all that should be; leave the service empty."""
        try:
            if self.agrees:
                self.compare_everything()
        finally:
            self.clear()

    def choose_state(self, job: str, actor: str, step: int) -> str:
        """Choose a state to go to: mostly one that the actor may go to."""
        if job not in self.model.jobs:
            return "A"
        known = self.model.jobs[job]
        here = known.status["state"]
        possible = sorted(there for origin, there, who in edges(known.workflow) if (origin, who) == (here, actor))
        chosen: str = [*possible, here, *documents.STATES, "nowhere"][step]
        return chosen

    def put_status(self, job: str, side: str, step: int, more: Document, cut: str) -> None:
        """Take a step of the workflow, try one that is not possible, or stay."""
        status = {"state": self.choose_state(job, ACTORS[side], step), **more}
        self.ask(
            side,
            "PUT",
            f"/jobs/{job}/status",
            lambda: self.model.put_status(job, status, ACTORS[side]),
            body=status,
            cut=cut,
        )

    def all_workflows(self) -> list[Document]:
        """All workflows by name."""
        return [self.model.workflows[name] for name in sorted(self.model.workflows)]

    def started(self, request: Document, cut: str = "") -> str:
        """Start a job of a workflow that is there; the service chooses its id."""
        answer = self.send("north", "POST", "/jobs", request, cut)
        job_id: str = decoded(answer.text)["id"]
        self.compare(answer, lambda: self.model.create_job(job_id, request), 201, cut, self.times.take)
        return job_id

    def found(self, conditions: Document, paging: Document) -> Document:
        """The page of jobs that should be found."""
        return page(self.model.find(conditions), **paging)

    def shown(self, job: str, *, history: bool) -> Document:
        """A job as it should be shown."""
        known = self.model.job(job)
        return known.shown() | ({"history": known.history} if history and known.history else {})

    def part(self, job: str, part: str) -> Any:
        """A part of a job as it should be shown."""
        known = self.model.job(job)
        return {"status": known.status, "definition": known.definition, "tags": sorted(known.tags)}[part]

    def ask(
        self,
        side: str,
        method: str,
        path: str,
        expected: Callable[[], Any],
        *,
        body: Any = None,
        query: Document | None = None,
        status: int = 200,
        cut: str = "",
        strip: Callable[[Any], Any] = lambda _: None,
    ) -> None:
        """Send a request and compare the answer with what is expected."""
        self.compare(self.send(side, method, path, body, cut, query), expected, status, cut, strip)

    def send(
        self, side: str, method: str, path: str, body: Any = None, cut: str = "", query: Document | None = None
    ) -> httpx.Response:
        """Send a request."""
        headers = {"X-Response-Filter": cut} if cut else {}
        return self.clients[side].request(method, path, json=body, params=query, headers=headers)

    def compare(
        self,
        answer: httpx.Response,
        expected: Callable[[], Any],
        status: int = 200,
        cut: str = "",
        strip: Callable[[Any], Any] = lambda _: None,
    ) -> None:
        """Compare status, error code and all members but times."""
        self.agrees = False
        wanted = outcome(expected)
        if isinstance(wanted, Refused):
            assert (answer.status_code, answer.json()["errors"][0]["code"]) == (wanted.status, wanted.code)
        else:
            assert answer.status_code == (200 if cut else status), answer.text
            kind = answer.headers.get("content-type")
            assert kind == (None if not answer.content else "text/plain; charset=utf-8" if cut else "application/json")
            outputs = [decoded(line) for line in answer.text.split("\n")[:-1]]
            for output in outputs:
                strip(output[0] if cut == "[.,1]" else output)
            assert list(map(printed, outputs)) == list(map(printed, CUTS[cut](wanted) if answer.content else []))
        self.agrees = True

    @staticmethod
    def raw(client: httpx.Client, case: tuple[str, str, bytes], job: str) -> httpx.Response:
        """Send one row of a table."""
        method, path, content = case
        headers = {"Content-Type": "application/json"} if content else {}
        return client.request(method, path.format(job), content=content, headers=headers)

    def position(self, number: int) -> str:
        """The place on the log after this event, counted from the beginning of this life."""
        log_id, _, before = self.start.rpartition("-")
        return f"{log_id}-{int(before) + number}"

    def read_log(self, since: str, query: Document) -> Document:
        """Read one page of the log."""
        answer = self.clients["south"].get(
            "/jobs/events", params={"since": since, "limit": 1000, **query}, headers={"Accept": "application/json"}
        )
        assert answer.status_code == 200, answer.text
        found: Document = answer.json()
        return found

    def events_of(self, found: Document) -> list[tuple[str, str]]:
        """The actions on a page, and what is shown of the jobs but for times."""
        listed = []
        for entry in found["content"]:
            about = {name: member for name, member in entry["event"]["job"].items() if name not in ("mtime", "stime")}
            listed.append((entry["event"]["action"], printed(about)))
        return listed

    def compare_everything(self) -> None:
        """The log is the model's, event by event, and all jobs and workflows are the model's with all their times."""
        everything = {"sort": "asc", "limit": 0, "offset": 0, "pagination": True}
        self.list_workflows("north", everything, "")
        self.find_jobs([("north", {}, everything, "")])
        found = self.read_log(self.start, {})
        assert self.events_of(found) == [(action, printed(about)) for action, about in self.model.log]
        numbers = [entry["id"] for entry in found["content"]]
        assert numbers == list(map(self.position, self.model.numbers))
        assert found["next"] == self.position(self.model.head)
        for job in self.model.jobs:
            answer = self.clients["south"].get(f"/jobs/{job}", params={"history": "true"})
            on_log = [
                datetime.fromisoformat(entry["event"]["job"]["mtime"])
                for entry in found["content"]
                if entry["event"]["job"]["id"] == job
            ]
            shown = answer.json()
            assert self.times.take(shown) == on_log
            assert printed(shown) == printed(self.shown(job, history=True))

    def clear(self) -> None:
        """Delete everything that is there."""
        north = self.clients["north"]
        for job in north.get("/jobs", params={"limit": 0}).json()["content"]:
            north.delete(f"/jobs/{job['id']}").raise_for_status()
        for workflow in north.get("/workflows", params={"limit": 0}).json()["content"]:
            north.delete(f"/workflows/{workflow['name']}").raise_for_status()
