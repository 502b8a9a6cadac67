"""Answers of any size: in pieces, with little memory, whatever their readers do."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from rawhttp import request

from tests.tuned import tuned
from tests.waiting import until
from wfx.api.answer_memory import AnswerMemory
from wfx.api.app import Dispatch, build_app
from wfx.api.downloads import Downloads
from wfx.api.large_bodies import LargeBodies
from wfx.api.services import Services
from wfx.config.tunables import Holder
from wfx.domain import job_json
from wfx.domain.errors import StoreUnavailable
from wfx.domain.job import HistoryEntry, Job
from wfx.domain.query import JobQuery, Page, Paging
from wfx.domain.workflow import State, Workflow
from wfx.events.broker import Broker
from wfx.filtering import Filters
from wfx.filtering.filters import MAX_DOCUMENT
from wfx.reactions.admission import Admission
from wfx.reactions.fatals import Fatals
from wfx.reactions.figures import RuleFigures
from wfx.reactions.incoming import Incoming
from wfx.reactions.rules import Rules
from wfx.request_context import Side
from wfx.server.limits import HttpLimits, HttpSettings
from wfx.server.listeners import open_tcp
from wfx.service.bulk import BulkJobs
from wfx.service.devices import Devices
from wfx.service.guard import Guard
from wfx.service.health import Health
from wfx.service.jobs import Jobs
from wfx.service.limits import Limits
from wfx.service.scripts import Scripts
from wfx.service.tasks import Tasks
from wfx.service.workflows import Workflows
from wfx.store.opening import open_store
from wfx.tasks.attempt import Attempts
from wfx.tasks.runner import TaskRunner

BASE = "/api/wfx/v1"
ENGINES = ("uvicorn", "hypercorn")
DEADLINE = 60.0
MEGABYTE = 1_000_000
SYSTEM = 16 * MEGABYTE
"""Bytes that the system may buffer between a server that writes and a client that does not read."""


class Watched:
    """A store that counts the bytes of what is read in pieces, and fails when it is told to."""

    def __init__(self, store: Any) -> None:
        """Watch this store."""
        self.store = store
        self.read = 0
        self.fails = False

    def __getattr__(self, name: str) -> Any:
        """Pass everything else on."""
        return getattr(self.store, name)

    async def query_jobs(self, *arguments: Any, **named: Any) -> Page[Job]:
        """Count."""
        return self._count(await self.store.query_jobs(*arguments, **named))

    async def get_history(self, *arguments: Any, **named: Any) -> Page[HistoryEntry]:
        """Count."""
        return self._count(await self.store.get_history(*arguments, **named))

    async def read_on(self, *arguments: Any, **named: Any) -> Page[Any]:
        """Count, or fail."""
        if self.fails:
            raise StoreUnavailable("the disk is gone")
        return self._count(await self.store.read_on(*arguments, **named))

    def _count(self, page: Page[Any]) -> Page[Any]:
        self.read += sum(len(item.definition or b"") for item in page.items)
        return page


class Service:
    """A running service whose parts can be looked at."""

    def __init__(self, store: Watched, answers: AnswerMemory, port: int) -> None:
        """Know them."""
        self.store, self.answers, self.port = store, answers, port

    async def ask(self, path: str, method: str = "GET", body: Any = None, **headers: str) -> tuple[Any, bytes]:
        """Ask, and read the answer whole."""

        def exchange() -> tuple[Any, bytes]:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE)
            encoded = None if body is None else json.dumps(body)
            fields = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, BASE + path, encoded, {"Content-Type": "application/json", **fields})
            answer = connection.getresponse()
            try:
                return answer, answer.read()
            finally:
                connection.close()

        return await asyncio.to_thread(exchange)

    async def ask_and_never_read(self, path: str) -> socket.socket:
        """Ask for an answer and take nothing of it."""
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(connection, ("127.0.0.1", self.port))
        await loop.sock_sendall(connection, request("GET", BASE + path))
        return connection


@asynccontextmanager
async def serving(folder: Path, engine: str, answers: AnswerMemory | None = None) -> AsyncIterator[Service]:
    """Serve a store of its own."""
    async with AsyncExitStack() as stack:
        store = Watched(await open_store("sqlite", str(folder / "wfx.db")))
        stack.push_async_callback(store.close)
        answers = answers or AnswerMemory()
        broker = Broker(store)
        await broker.open()
        stack.push_async_callback(broker.close)
        filters = await stack.enter_async_context(Filters(deadline=DEADLINE))
        bodies = await stack.enter_async_context(LargeBodies(20 * MEGABYTE))
        watched: Any = store
        limits = Limits(tuned())
        guard = Guard(watched, limits, tuned())
        jobs = Jobs(watched, guard)
        services = Services(
            jobs=jobs,
            bulk=BulkJobs(watched, jobs.created, guard),
            limits=limits,
            guard=guard,
            workflows=Workflows(watched, guard),
            devices=await stack.enter_async_context(Devices(watched)),
            health=Health(watched),
            broker=broker,
            filters=filters,
            large_bodies=bodies,
            answers=answers,
            downloads=stack.enter_context(Downloads(tuned())),
            max_body=20 * MEGABYTE,
            tunables=tuned(),
            rule_store=watched,
            incoming=Incoming(watched, Rules(), RuleFigures(), Fatals(), Admission(watched, limits)),
            tasks=Tasks(watched, TaskRunner(watched, {}, Attempts(watched), at_most=lambda: 1)),
            scripts=Scripts(watched, None, tuned()),
        )
        listener = open_tcp(Side.NORTH, "127.0.0.1", 0, engine)
        port = int(listener.address.rpartition(":")[2])
        stop = asyncio.Event()
        app = build_app(Side.NORTH, Dispatch(Side.NORTH, services))
        http_limits = HttpLimits(Holder(HttpSettings(10, 1))).add_listener(Side.NORTH)
        server = asyncio.create_task(listener.engine(app, listener.socket, http_limits, stop))
        try:
            yield Service(store, answers, port)
        finally:
            stop.set()
            await server


async def fill(service: Service, jobs: int, size: int) -> list[Job]:
    """Store jobs with definitions of so many bytes."""
    await service.store.create_workflow(Workflow("w", (State("S"),)))
    for n in range(jobs):
        body = {"clientId": f"c{n}", "workflow": "w", "definition": {"text": "x" * size, "n": n}}
        answer, _ = await service.ask("/jobs", "POST", body)
        assert answer.status == 201
    return list((await service.store.store.query_jobs(JobQuery(paging=Paging(limit=0)))).items)


async def change(service: Service, job: Job, count: int, size: int) -> None:
    """Replace the definition of a job so often."""
    for n in range(count):
        answer, _ = await service.ask(f"/jobs/{job.id}/definition", "PUT", {"text": "y" * size, "n": n})
        assert answer.status == 200


@pytest.mark.parametrize("engine", ENGINES)
async def test_large_answers_are_the_same_bytes(tmp_path: Path, engine: str) -> None:
    """Row 62: lists, histories and single jobs of megabytes are the bytes that all at once would be."""
    async with serving(tmp_path, engine) as service:
        jobs = await fill(service, 12, 300_000)
        await change(service, jobs[0], 8, 400_000)
        jobs[0] = await service.store.get_job(jobs[0].id)
        shown = [job_json.job(job) for job in jobs]
        total = b'],"pagination":{"limit":0,"offset":0,"total":12}}\n'
        answer, body = await service.ask("/jobs?limit=0&pagination=true")
        assert body == b'{"content":[' + b",".join(shown) + total
        assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
        assert (await service.ask("/jobs?limit=0&sort=desc"))[1] == b'{"content":[' + b",".join(shown[::-1]) + b"]}\n"
        history = (await service.store.store.get_history(jobs[0].id, 8192)).items
        before, behind = job_json.around_history(jobs[0])
        whole = before + b",".join(map(job_json.history_entry, history)) + behind + b"\n"
        assert (await service.ask(f"/jobs/{jobs[0].id}?history=true"))[1] == whole
        answer, body = await service.ask(f"/jobs/{jobs[0].id}")
        assert (body, int(answer.headers["content-length"])) == (shown[0] + b"\n", len(body))
        answer, body = await service.ask(f"/jobs/{jobs[0].id}/definition")
        assert body == (jobs[0].definition or b"") + b"\n"
        answer, body = await service.ask("/jobs?limit=0", "HEAD")
        assert (answer.status, body) == (200, b"")
        assert service.answers.held == 0


@pytest.mark.parametrize("engine", ENGINES)
async def test_a_small_answer_has_a_length(tmp_path: Path, engine: str) -> None:
    """What is small comes in one piece with its length, as ever."""
    async with serving(tmp_path, engine) as service:
        jobs = await fill(service, 3, 10)
        for path in ("/jobs", f"/jobs/{jobs[0].id}?history=true", f"/jobs/{jobs[0].id}/status", "/workflows"):
            answer, body = await service.ask(path)
            assert int(answer.headers["content-length"]) == len(body)


@pytest.mark.parametrize("what", ["list", "history"])
@pytest.mark.parametrize("engine", ENGINES)
async def test_who_never_reads_makes_little_be_read(tmp_path: Path, engine: str, what: str) -> None:
    """Row 62: for a client that takes nothing, a few pieces of an answer are read, and let go of when it leaves."""
    async with serving(tmp_path, engine) as service:
        jobs = await fill(service, 40, MEGABYTE if what == "list" else 10)
        if what == "history":
            await change(service, jobs[0], 25, MEGABYTE)
        service.store.read = 0
        path = "/jobs?limit=0" if what == "list" else f"/jobs/{jobs[0].id}?history=true"
        whole = 40 * MEGABYTE if what == "list" else 24 * MEGABYTE
        readers = [await service.ask_and_never_read(path) for _ in range(3)]
        await until(lambda: service.answers.held > 0 and service.store.read > 0, "it is read")
        before = -1
        while before != service.store.read:
            before = service.store.read
            await asyncio.sleep(1)
        assert before < 3 * min(SYSTEM, whole - 1)
        assert service.answers.held < 3 * 3 * MEGABYTE
        for reader in readers:
            reader.close()
        await until(lambda: service.answers.held == 0, "nothing is held for who has left")


@pytest.mark.parametrize("engine", ENGINES)
async def test_without_room_large_answers_are_refused_and_small_ones_are_not(tmp_path: Path, engine: str) -> None:
    """Row 62: where others hold all the memory, a large answer is 503 with Retry-After; small ones go on.

    A change whose answer would be large is refused before it is made.
    """
    answers = AnswerMemory(limit=2 * MEGABYTE, stall=DEADLINE, patience=0.2)
    async with serving(tmp_path, engine, answers) as service:
        jobs = await fill(service, 30, MEGABYTE)
        await until(lambda: answers.held == 0, "all are answered")
        reader = await service.ask_and_never_read("/jobs?limit=0")
        await until(lambda: answers.held > MEGABYTE, "the reader holds what there is")
        answer, body = await service.ask("/jobs?limit=0")
        assert (answer.status, answer.headers["retry-after"]) == (503, "5")
        assert b"too many large answers" in body
        assert (await service.ask(f"/jobs/{jobs[0].id}/status"))[0].status in (200, 503)
        small, _ = await service.ask("/workflows")
        assert small.status == 200
        refused, _ = await service.ask(f"/jobs/{jobs[1].id}/definition", "PUT", {"text": "z" * MEGABYTE})
        assert (refused.status, refused.headers["retry-after"]) == (503, "5")
        assert (await service.store.store.get_job(jobs[1].id)).version == 1
        changed, _ = await service.ask(f"/jobs/{jobs[1].id}/definition", "PUT", {"text": "z"})
        assert changed.status == 200
        reader.close()
        await until(lambda: answers.held == 0, "nothing is held")
        assert (await service.ask("/jobs?limit=0"))[0].status == 200


@pytest.mark.parametrize("engine", ENGINES)
async def test_who_takes_nothing_is_cut_off_when_others_wait(tmp_path: Path, engine: str) -> None:
    """Row 62: a client that holds memory and takes nothing is cut off in favour of one who waits."""
    answers = AnswerMemory(limit=2 * MEGABYTE, stall=0.5, patience=DEADLINE)
    async with serving(tmp_path, engine, answers) as service:
        await fill(service, 30, MEGABYTE)
        readers = [await service.ask_and_never_read("/jobs?limit=0") for _ in range(3)]
        await until(lambda: answers.held > MEGABYTE, "the readers hold what there is")
        answer, body = await service.ask("/jobs?limit=0")
        assert answer.status == 200
        assert len(json.loads(body)["content"]) == 30
        for reader in readers:
            reader.close()


@pytest.mark.parametrize("engine", ENGINES)
async def test_an_answer_that_cannot_be_read_on_is_broken_off(tmp_path: Path, engine: str) -> None:
    """When the store fails in the middle of an answer, its client sees that it is not whole."""
    async with serving(tmp_path, engine) as service:
        await fill(service, 30, 200_000)
        service.store.fails = True
        with pytest.raises((http.client.IncompleteRead, ConnectionError)):
            await service.ask("/jobs?limit=0")
        service.store.fails = False
        assert (await service.ask("/jobs?limit=0"))[0].status == 200


@pytest.mark.parametrize("engine", ENGINES)
async def test_a_filter_on_too_much_is_refused_early(tmp_path: Path, engine: str) -> None:
    """A filter on more than it may have is answered with 422 after no more than that was read."""
    async with serving(tmp_path, engine) as service:
        await fill(service, 30, MEGABYTE)
        answer, body = await service.ask("/jobs?limit=0", x_response_filter=".content[].id")
        assert answer.status == 422, body
        assert service.store.read <= MAX_DOCUMENT + 2 * MEGABYTE
        answer, body = await service.ask("/jobs?limit=4", x_response_filter=".content|length")
        assert (answer.status, body) == (200, b"4\n")
        assert service.answers.held == 0


@pytest.mark.parametrize("engine", ENGINES)
async def test_a_filter_on_a_job_that_is_too_large_reads_nothing(tmp_path: Path, engine: str) -> None:
    """A filter on a job that is larger than filters take is answered with 422, and the job is not read."""
    async with serving(tmp_path, engine) as service:
        jobs = await fill(service, 1, MAX_DOCUMENT)
        answer, _ = await service.ask(f"/jobs/{jobs[0].id}", x_response_filter=".id")
        assert answer.status == 422
        assert service.store.read == 0
        answer, body = await service.ask(f"/jobs/{jobs[0].id}/status", x_response_filter=".state")
        assert (answer.status, body) == (200, b'"S"\n')
        assert service.answers.held == 0


@pytest.mark.parametrize("what", ["definition", "context"])
@pytest.mark.parametrize("engine", ENGINES)
async def test_a_document_that_grows_beyond_bounds_is_refused(tmp_path: Path, engine: str, what: str) -> None:
    """A body within the limit whose document is more than twice the limit as it is stored is 413; nothing happens.

    Each ``<`` is stored as six bytes, so that answers are those of the reference.
    """
    async with serving(tmp_path, engine) as service:
        (job,) = await fill(service, 1, 10)
        document = {"text": "<" * 8 * MEGABYTE}
        if what == "definition":
            answer, body = await service.ask(f"/jobs/{job.id}/definition", "PUT", document)
        else:
            answer, body = await service.ask(f"/jobs/{job.id}/status", "PUT", {"state": "S", "context": document})
        assert (answer.status, b"as it is stored" in body) == (413, True)
        assert (await service.store.store.get_job(job.id)).version == 1
        assert service.answers.held == 0


@pytest.mark.parametrize("engine", ENGINES)
async def test_jobs_that_go_while_a_list_is_read(tmp_path: Path, engine: str) -> None:
    """Jobs that are deleted while a large list is on its way are missing in the rest of it, which stays valid JSON."""
    async with serving(tmp_path, engine) as service:
        jobs = await fill(service, 30, MEGABYTE)
        reader = await service.ask_and_never_read("/jobs?limit=0")
        await until(lambda: service.answers.held > 0 and service.store.read > MEGABYTE, "it has begun")
        for job in jobs[1:]:
            await service.store.delete_job(job.id)
        received = bytearray()
        while not received.endswith(b"0\r\n\r\n"):
            received += await asyncio.wait_for(asyncio.get_running_loop().sock_recv(reader, MEGABYTE), DEADLINE)
        reader.close()
        body, rest = bytearray(), bytes(received).partition(b"\r\n\r\n")[2]
        while (line := rest.partition(b"\r\n"))[0] != b"0":
            size = int(line[0], 16)
            body += line[2][:size]
            rest = line[2][size + 2 :]
        ids = [job["id"] for job in json.loads(body)["content"]]
        assert ids == [job.id for job in jobs if job.id in ids]
        assert len(ids) < 30
