"""Limits on how often work begins, by services on SQLite and on PostgreSQL, with a clock that the test sets."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from redis_server import PASSWORD, RedisServer

from tests.clock import Clock
from tests.composition import Running, composed
from tests.store.postgres_schemas import schemas
from tests.waiting import until
from wfx.config.cross_checks import OptionRefused, check
from wfx.config.option_checks import host_and_port
from wfx.config.options import Config
from wfx.request_context import Side
from wfx.service.limits import Limits
from wfx.store.postgres.statements import SQL
from wfx.store.redis.buckets import RedisTarget

FLEET = "/api/fleet/v1"
WORKFLOW = {
    "name": "w",
    "states": [{"name": name} for name in ("A", "B", "C", "D", "E")],
    "transitions": [
        *({"from": one, "to": other, "eligible": "CLIENT"} for one, other in ("AB", "BC", "CD")),
        {"from": "B", "to": "E", "eligible": "WFX"},
    ],
}
STARTS = ("20/PT1M", "200/PT1H")
Storage = dict[str, Any]


class AllClocks(Clock):
    """The clock of all buckets: those in memory, and those in PostgreSQL."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Have new services use it; nobody gives up waiting for PostgreSQL, however slow the machine is."""
        super().__init__()
        self._monkeypatch = monkeypatch
        self._statements = {name: SQL[name] for name in ("lock_buckets", "look_at_buckets", "forget_full_buckets")}
        monkeypatch.setattr("wfx.compose.Limits", partial(Limits, clock=self))
        monkeypatch.setattr("wfx.service.shared_buckets._DEADLINE", 60)
        self.set(self.now)

    def set(self, now: float) -> None:
        """Have it be so late."""
        self.now = now
        for name, sql in self._statements.items():
            self._monkeypatch.setitem(SQL, name, sql.replace("clock_timestamp()", f"to_timestamp({now})"))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> AllClocks:
    """A clock that stands still."""
    return AllClocks(monkeypatch)


@pytest.fixture(params=["sqlite", "postgres"])
def storage(request: pytest.FixtureRequest) -> Storage:
    """Each kind of storage."""
    if request.param == "sqlite":
        return {}
    return request.getfixturevalue("shared")  # type: ignore[no-any-return]


@pytest.fixture
def shared(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    """A schema on PostgreSQL."""
    option = schemas(request.getfixturevalue("postgres"), request.getfixturevalue("database"))(tmp_path)
    return {"storage": "postgres", "storage_opt": option}


class Clients:
    """What asks a service on both sides."""

    def __init__(self, running: Running, client: httpx.AsyncClient) -> None:
        """Ask this one."""
        self.running = running
        self._client = client
        self.north, self.south = running.url(Side.NORTH), running.url(Side.SOUTH)
        self.fleet = self.north.removesuffix("/api/wfx/v1") + FLEET

    async def create(self, client_id: str = "d", workflow: str = "w") -> httpx.Response:
        """Create a job."""
        return await self._client.post(f"{self.north}/jobs", json={"clientId": client_id, "workflow": workflow})

    async def report(self, job_id: str, side: Side = Side.SOUTH, **status: Any) -> httpx.Response:
        """Report a status."""
        status = {name: value for name, value in status.items() if value is not None}
        return await self._client.put(f"{self.running.url(side)}/jobs/{job_id}/status", json=status)

    async def get(self, path: str) -> Any:
        """Read something."""
        answer = await self._client.get(self.north + path)
        assert answer.status_code == 200
        return answer.json()

    async def limits(self, **whose: str) -> Any:
        """Ask for the limits."""
        answer = await self._client.get(self.north.removesuffix("/api/wfx/v1") + "/v1/limits", params=whose)
        assert answer.status_code == 200
        return answer.json()

    async def post(self, path: str, body: Any) -> httpx.Response:
        """Ask the fleet API."""
        return await self._client.post(self.fleet + path, json=body)

    async def tell(self, event: Any) -> httpx.Response:
        """Tell the rules of an event."""
        return await self._client.post(self.north.removesuffix("/api/wfx/v1") + "/v1/events", json=event)

    async def put(self, path: str, body: Any) -> httpx.Response:
        """Ask the fleet API."""
        return await self._client.put(self.fleet + path, json=body)


@asynccontextmanager
async def service(folder: Path, storage: Storage, **settings: Any) -> AsyncIterator[Clients]:
    """Run a service that has a workflow."""
    async with composed(folder, **storage, **settings) as running, httpx.AsyncClient(trust_env=False) as client:
        clients = Clients(running, client)
        answer = await client.post(f"{clients.north}/workflows", json=WORKFLOW)
        assert answer.status_code == 201 or "already exists" in answer.text
        yield clients


def statuses(answers: list[httpx.Response]) -> Counter[int]:
    """Count how requests were answered."""
    return Counter(answer.status_code for answer in answers)


async def test_jobs_of_a_minute_and_of_an_hour(storage: Storage, tmp_path: Path, clock: AllClocks) -> None:
    """With 20/PT1M and 200/PT1H twenty jobs are created, the next waits 3 s, then exactly one; the hour has lost 21."""
    async with service(tmp_path, storage, sandbox_rate_limit_instance_start=STARTS) as clients:
        assert statuses([await clients.create() for _ in range(20)]) == {201: 20}
        refused = await clients.create()
        assert refused.status_code == 429
        assert refused.headers["retry-after"] == "3"
        assert refused.json()["errors"] == [
            {
                "code": "wfx.tooManyRequests",
                "logref": "7c1e90d25ab84f36b0e3d4f8a6915c27",
                "message": "the limit instance-start (global) is used up; try again in 3 s",
            }
        ]
        clock.set(clock.now + 3)
        assert statuses([await clients.create() for _ in range(5)]) == {201: 1, 429: 4}
        states, trouble = await clients.running.parts.services.limits.look()
        assert ([state.left for state in states], trouble) == ([0, 179], "")
        assert len((await clients.get("/jobs?limit=100"))["content"]) == 21


@pytest.mark.usefixtures("clock")
async def test_what_is_refused_anyway(storage: Storage, tmp_path: Path) -> None:
    """Jobs of unknown workflows are refused as without a limit, and take no token."""
    async with service(tmp_path, storage, sandbox_rate_limit_instance_start=("1/PT1M",)) as clients:
        answers = [await clients.create(workflow="nope") for _ in range(3)]
        assert statuses(answers) == {400: 3}
        assert answers[0].json()["errors"][0]["message"] == "workflow nope does not exist"
        assert statuses([await clients.create() for _ in range(2)]) == {201: 1, 429: 1}


@pytest.mark.usefixtures("clock")
async def test_each_client_and_each_workflow(storage: Storage, tmp_path: Path) -> None:
    """A limit may hold for each client and each workflow; who is refused by one takes no token of another one."""
    limits = ("client=2/PT1M", "workflow=5/PT1M")
    async with service(tmp_path, storage, sandbox_rate_limit_instance_start=limits) as clients:
        assert statuses([await clients.create("a") for _ in range(10)]) == {201: 2, 429: 8}
        assert statuses([await clients.create("b") for _ in range(10)]) == {201: 2, 429: 8}
        assert statuses([await clients.create("c") for _ in range(10)]) == {201: 1, 429: 9}


@pytest.mark.usefixtures("clock")
async def test_two_servers_share(shared: Storage, tmp_path: Path) -> None:
    """Of 40 jobs that are created at once at two servers on one PostgreSQL exactly 20 are created."""
    settings: Storage = {**shared, "sandbox_rate_limit_instance_start": STARTS}
    async with service(tmp_path, settings) as one, service(tmp_path, settings) as other:
        answers = await asyncio.gather(*(each.create() for each in (one, other) * 20))
        assert statuses(answers) == {201: 20, 429: 20}


@pytest.mark.usefixtures("clock")
async def test_one_server_for_itself(shared: Storage, tmp_path: Path) -> None:
    """With the type bucket4j each server on a PostgreSQL counts for itself."""
    settings: Storage = {
        **shared, "sandbox_rate_limit_instance_start": ("2/PT1M",), "sandbox_rate_limit_type": "bucket4j"
    }  # fmt: skip
    async with service(tmp_path, settings) as one, service(tmp_path, settings) as other:
        assert statuses([await each.create() for each in (one, other) * 4]) == {201: 4, 429: 4}


async def test_reports_into_other_states(storage: Storage, tmp_path: Path, clock: AllClocks) -> None:
    """A device's report into another state beyond the limit is refused: status, history and log stay as they were."""
    async with service(tmp_path, storage, sandbox_rate_limit_activity_start=("client=2/PT1M",)) as clients:
        job_id = (await clients.create()).json()["id"]
        for state in ("B", "C"):
            assert (await clients.report(job_id, state=state)).status_code == 200
        before = await clients.get(f"/jobs/{job_id}?history=true"), clients.running.parts.services.broker.head
        refused = await clients.report(job_id, state="D")
        assert refused.status_code == 429
        assert refused.headers["retry-after"] == "30"
        after = await clients.get(f"/jobs/{job_id}?history=true"), clients.running.parts.services.broker.head
        assert after == before
        clock.set(clock.now + 30)
        assert (await clients.report(job_id, state="D")).status_code == 200


@pytest.mark.usefixtures("clock")
async def test_reports_that_are_free(storage: Storage, tmp_path: Path) -> None:
    """Progress in a state, what operators do, and what is no transition takes no token."""
    async with service(tmp_path, storage, sandbox_rate_limit_activity_start=("1/PT1M",)) as clients:
        job_id = (await clients.create()).json()["id"]
        assert statuses([await clients.report(job_id, state="C") for _ in range(3)]) == {400: 3}
        assert statuses([await clients.report(job_id, state="A", progress=n) for n in range(3)]) == {200: 3}
        assert (await clients.report(job_id, state="B")).status_code == 200
        assert (await clients.report(job_id, state="C")).status_code == 429
        assert (await clients.report(job_id, Side.NORTH, state="E")).status_code == 200
        assert (await clients.report("unknown", state="B")).status_code == 404


@pytest.mark.usefixtures("clock")
async def test_items_of_bulk_requests(storage: Storage, tmp_path: Path) -> None:
    """Each job of a bulk request takes a token; those that find none are told so, and the others are there."""
    async with service(tmp_path, storage, sandbox_rate_limit_instance_start=("40/PT1M",)) as clients:
        jobs = [{"clientId": f"d{number}", "workflow": "w"} for number in range(100)]
        answer = (await clients.post("/jobs:batch", {"jobs": jobs})).json()
        assert (answer["done"], answer["failed"]) == (40, 60)
        assert Counter(item.get("error", {}).get("code") for item in answer["items"][40:]) == {
            "wfx.tooManyRequests": 60
        }
        assert len((await clients.get("/jobs?limit=100"))["content"]) == 40


@pytest.mark.usefixtures("clock")
async def test_limits_that_change(storage: Storage, tmp_path: Path) -> None:
    """Limits come, change and go while the service runs; what was used under one stays used under the next."""
    async with service(tmp_path, storage) as clients:
        assert statuses([await clients.create() for _ in range(10)]) == {201: 10}
        for limit, passing in ((("5/PT1M",), 5), (("8/PT1M",), 3), (("3/PT1M",), 0), ((), 10)):
            clients.running.tune(sandbox_rate_limit_instance_start=limit)
            assert statuses([await clients.create() for _ in range(10)])[201] == passing


async def test_limits_are_shown(storage: Storage, tmp_path: Path, clock: AllClocks) -> None:
    """What is left of a limit and how long to wait is shown, of a client's too if it is named; and what was refused."""
    limits = ("3/PT1M", "client=2/PT1H")
    async with service(tmp_path, storage, sandbox_rate_limit_instance_start=limits) as clients:
        for client_id in ("a", "a", "a", "b", "b"):
            await clients.create(client_id)
        clock.set(clock.now + 2)
        of_all = {"scope": "global", "limit": "3/PT1M", "left": 0, "wait": 18, "taken": 3, "refused": 1}
        of_each = {"scope": "client", "limit": "2/PT1H", "taken": 3, "refused": 1}
        kind = {"kind": "instance-start"}
        assert (await clients.limits())["content"] == [kind | of_all, kind | of_each]
        named = await clients.limits(client_id="b")
        assert named["content"] == [kind | of_all, kind | of_each | {"left": 1, "wait": 0}]
        assert (named["max_allowed_repetitions"], named["max_command_duration"]) == (0, 0)
        value = clients.running.parts.monitoring.metrics.registry.get_sample_value
        labels = {"kind": "instance-start", "scope": "client"}
        assert (value("wfx_limits_taken_total", labels), value("wfx_limits_refused_total", labels)) == (3, 1)


async def test_nothing_is_limited(storage: Storage, tmp_path: Path) -> None:
    """By default there are no limits, and none are shown."""
    async with service(tmp_path, storage) as clients:
        assert (await clients.limits())["content"] == []


async def test_repetitions(storage: Storage, tmp_path: Path) -> None:
    """A job may enter or report a state so often; repeating the present report is free, and a restart forgets none."""
    refused = "job '{}' has entered or reported state 'B' 2 times, and 2 are allowed"
    settings: Storage = {**storage, "sandbox_max_allowed_repetitions": 2}
    async with service(tmp_path, settings) as clients:
        job_id = (await clients.create()).json()["id"]
        for progress in (None, None, None, 1, 1):
            assert (await clients.report(job_id, state="B", progress=progress)).status_code == 200
        answer = await clients.report(job_id, state="B", progress=5)
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["message"] == refused.format(job_id)
        assert answer.json()["errors"][0]["code"] == "wfx.tooManyRepetitions"
    async with service(tmp_path, settings) as clients:
        assert (await clients.report(job_id, state="B", progress=1)).status_code == 200
        answer = await clients.put(f"/jobs/{job_id}/status", {"state": "B", "message": "again"})
        assert answer.status_code == 400
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["detail"] == refused.format(job_id)
        clients.running.tune(sandbox_max_allowed_repetitions=3)
        assert (await clients.report(job_id, state="B", progress=5)).status_code == 200


async def test_repetitions_by_bulk_requests(storage: Storage, tmp_path: Path) -> None:
    """Bulk updates count like single ones; a job that was in the state often enough is told so, and others go on."""
    async with service(tmp_path, storage, sandbox_max_allowed_repetitions=3) as clients:
        one, other = [(await clients.create()).json()["id"] for _ in range(2)]
        update: dict[str, Any] = {"ids": [one, other]}
        for number, failed in enumerate([0, 0, 2]):
            update["status"] = {"state": "A", "message": f"{number}"}
            answer = (await clients.post("/jobs:update", update)).json()
            assert answer["failed"] == failed, answer
        items = answer["items"]
        assert items[0]["error"]["code"] == "wfx.tooManyRepetitions"
        expected = f"job '{one}' has entered or reported state 'A' 3 times, and 3 are allowed"
        assert items[0]["error"]["message"] == expected
        update["status"] = {"state": "A", "message": "1"}  # as it is
        assert (await clients.post("/jobs:update", update)).json()["failed"] == 0
        tagging = {"ids": [one], "addTags": ["t"]}
        assert (await clients.post("/jobs:tag", tagging)).json().get("failed", 0) == 0
        value = clients.running.parts.services.guard.refusals["repetitions"]
        assert value == 2


RULES = """
version: v1
scenarios:
  - id: again
    event_types: [again]
    children:
      - action: {id: tag, type: add_tags, params: {job_id: "${payload.job}", tags: ["${payload.text}"]}}
      - action:
          id: move
          type: update_status
          params: {job_id: "${payload.job}", state: A, message: "${payload.text}"}
"""


async def test_repetitions_by_rules(storage: Storage, tmp_path: Path) -> None:
    """What rules do to a job counts, too; an action that is one too many is refused, and those beside it are done."""
    (tmp_path / "rules.yml").write_text(RULES)
    settings: Storage = {**storage, "sandbox_max_allowed_repetitions": 3, "rules": str(tmp_path / "rules.yml")}
    async with service(tmp_path, settings) as clients:
        job_id = (await clients.create()).json()["id"]
        results = []
        for number in range(4):
            event = {"type": "again", "payload": {"job": job_id, "text": f"{number}"}}
            results.append((await clients.tell(event)).json()["actions_executed"])
        moved = [[each["success"] for each in found] for found in results]
        assert moved == [[True, True], [True, True], [True, False], [True, False]], results
        assert "state 'A' 3 times, and 3 are allowed" in results[2][1]["message"]
        job = await clients.get(f"/jobs/{job_id}?history=true")
        assert job["status"]["message"] == "1"
        assert job["tags"] == ["0", "1", "2", "3"]


GO_ON = """version: v1
scenarios:
- id: go_on
  event_types: [job.update_status]
  children:
  - action: {id: next, type: create_job, params: {client_id: "${payload.client}", workflow: "${payload.workflow}"}}
"""


async def test_rules_that_wait_for_long_are_told(
    storage: Storage, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A record says once which limit holds the rules up, and for how long."""
    (tmp_path / "rules.yml").write_text(GO_ON)
    limits: Storage = {"sandbox_rate_limit_instance_start": ("1/P1D",), "rules": str(tmp_path / "rules.yml")}
    async with service(tmp_path, {**storage, **limits}) as clients:
        job_id = (await clients.create()).json()["id"]
        assert (await clients.report(job_id, state="A", progress=1)).status_code == 200
        await until(lambda: "rules wait for a limit" in caplog.text)
    (record,) = [each for each in caplog.records if each.getMessage().startswith("rules wait for a limit")]
    fields = record.__dict__["fields"]
    assert (fields["limit"], fields["seconds"] > 80_000, record.levelname) == ("instance-start", True, "WARNING")


async def test_repetitions_at_once(storage: Storage, tmp_path: Path) -> None:
    """Of reports that come at the same moment no more are taken than one after the other."""
    async with service(tmp_path, storage, sandbox_max_allowed_repetitions=5) as clients:
        job_id = (await clients.create()).json()["id"]
        answers = await asyncio.gather(*(clients.report(job_id, state="A", progress=n) for n in range(20)))
        assert statuses(answers) == {200: 4, 400: 16}  # its creation was the first time


@contextmanager
def stalled(clients: Clients) -> Iterator[None]:
    """Have the store do nothing before it reads what a batch is about; it goes on in the end."""
    store: Any = clients.running.parts.services.jobs._store
    may_go_on, load = asyncio.Event(), store.backend.load

    async def held_up(*args: Any) -> Any:
        await may_go_on.wait()
        return await load(*args)

    store.backend.load = held_up
    try:
        yield
    finally:
        may_go_on.set()


async def test_a_stalled_store(storage: Storage, tmp_path: Path) -> None:
    """With a stalled store each change is answered with 408 after the time that it may take, and none is made later."""
    async with service(tmp_path, storage) as clients:
        job_id = (await clients.create()).json()["id"]
        before = await clients.get(f"/jobs/{job_id}?history=true")
        clients.running.tune(sandbox_max_command_duration=1.0)
        requests: list[Callable[[], Awaitable[httpx.Response]]] = [
            clients.create,
            partial(clients.report, job_id, state="B"),
            partial(clients.put, f"/jobs/{job_id}/status", {"state": "A", "progress": 7}),
        ]
        answers = []
        for request in requests:
            with stalled(clients):
                answers.append(await request())
        assert statuses(answers) == {408: 3}
        message = "the change was not begun within 1 s, and was not made; try again later"
        assert answers[0].json()["errors"][0]["message"] == message
        assert answers[2].json()["detail"] == message
        clients.running.tune(sandbox_max_command_duration=0.0)
        assert (await clients.create("later")).status_code == 201
        assert await clients.get(f"/jobs/{job_id}?history=true") == before
        assert len((await clients.get("/jobs?limit=100"))["content"]) == 2


@pytest.fixture
def redis_settings(redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Options of a service that keeps its buckets in Redis, under keys of its own, and waits for it."""
    monkeypatch.setattr("wfx.service.shared_buckets._DEADLINE", 60)
    monkeypatch.setattr("wfx.store.redis.buckets._SECONDS", 60)
    return {
        "sandbox_rate_limit_type": "redis",
        "redis_host": redis_server.host,
        "redis_password": PASSWORD,
        "redis_key_prefix": f"{uuid4()}:",
    }


@pytest.mark.parametrize("kind", ["postgres", "redis"])
async def test_forty_at_once(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """Of forty that are created at once at two servers, twenty are, and the others are told when to come back."""
    monkeypatch.setattr("wfx.service.shared_buckets._DEADLINE", 60)
    (tmp_path / "other").mkdir()
    limit = {"sandbox_rate_limit_instance_start": ("20/P1D",)}
    if kind == "postgres":
        settings = [{**request.getfixturevalue("shared"), "sandbox_rate_limit_type": "postgres"}] * 2
    else:
        settings = [request.getfixturevalue("redis_settings")] * 2
    async with (
        service(tmp_path, settings[0], **limit) as one,
        service(tmp_path if kind == "postgres" else tmp_path / "other", settings[1], **limit) as other,
    ):
        answers = await asyncio.gather(*(each.create(f"d{n}") for n in range(20) for each in (one, other)))
        assert statuses(answers) == {201: 20, 429: 20}
        waits = {int(answer.headers["retry-after"]) for answer in answers if answer.status_code == 429}
        assert all(4000 < wait <= 4320 for wait in waits)
        (shown,) = (await one.limits())["content"]
        assert shown["left"] == 0


async def test_requests_of_an_address_in_redis(redis_settings: dict[str, Any], tmp_path: Path) -> None:
    """With Redis the requests of an address count at all servers together."""
    (tmp_path / "other").mkdir()
    limit = {"rate_limit_enabled": True, "ip_rate_limit": 20, "ip_window_minutes": 1000}
    async with (
        composed(tmp_path, **redis_settings, **limit) as one,
        composed(tmp_path / "other", **redis_settings, **limit) as other,
        httpx.AsyncClient(trust_env=False) as client,
    ):
        urls = [f"{each.url(Side.NORTH)}/jobs" for each in (one, other)]
        answers = await asyncio.gather(*(client.get(url) for url in urls * 20))
        assert statuses(answers) == {200: 20, 429: 20}


async def test_redis_that_is_away(redis_settings: dict[str, Any], tmp_path: Path, caplog: Any) -> None:
    """While Redis is away a server starts and counts for itself, and says so once; when Redis is back it is used."""
    with RedisServer() as own:
        own.stop()
        settings = {**redis_settings, "redis_host": own.host, "sandbox_rate_limit_instance_start": ("3/P1D",)}
        async with service(tmp_path, settings) as clients:
            assert statuses([await clients.create() for _ in range(5)]) == {201: 3, 429: 2}
            told = [each.getMessage() for each in caplog.records if "shared buckets" in each.getMessage()]
            assert len(told) == 1
            assert f"Redis at {own.host} cannot be used" in told[0]
            assert PASSWORD not in told[0]
            shown = await clients.limits()
            assert [(each["left"], each["taken"]) for each in shown["content"]] == [(0, 3)]
            assert f"Redis at {own.host} cannot be used" in shown["warning"]
            own.start()
            assert statuses([await clients.create() for _ in range(5)]) == {201: 3, 429: 2}
            assert "warning" not in await clients.limits()


def test_the_password_of_redis_is_not_shown() -> None:
    """Where Redis is can be written to a log."""
    target = RedisTarget("cache", 6379, PASSWORD, False, "wfx:")
    assert f"{target!r} {target}" == "RedisTarget(cache:6379) RedisTarget(cache:6379)"


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"sandbox_rate_limit_type": "redis"}, "redis-host: sandbox-rate-limit-type redis needs a server here"),
        ({"sandbox_rate_limit_type": "postgres"}, "postgres needs --storage postgres"),
    ],
)
def test_buckets_that_are_nowhere(settings: dict[str, Any], reason: str) -> None:
    """What is to have the buckets must be there."""
    with pytest.raises(OptionRefused, match=reason):
        check(Config(**settings))


def test_the_package_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the package of Redis the refusal says how to get it."""
    monkeypatch.setattr("wfx.config.cross_checks.find_spec", lambda _name: None)
    with pytest.raises(OptionRefused, match="install wfx with its extra redis"):
        check(Config(redis_host="localhost"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("localhost:6379", ("localhost", 6379)),
        ("cache", ("cache", 6379)),
        ("[::1]:7", ("::1", 7)),
        ("10.0.0.1:65535", ("10.0.0.1", 65535)),
    ],
)
def test_hosts_of_redis(text: str, expected: tuple[str, int]) -> None:
    """A host may have a port behind it."""
    assert host_and_port(text) == expected


@pytest.mark.parametrize("text", ["redis://cache", "cache:0", "cache:65536", "a b", "cache:", "::1", "u:p@cache"])
def test_no_hosts_of_redis(text: str) -> None:
    """Anything else is refused."""
    with pytest.raises(ValueError, match="is no host with a port, such as localhost:6379"):
        host_and_port(text)
