"""Metrics as a scraper gets them, and how they move when something is done."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from plugin_programs import PluginDirectory
from prometheus_client import Metric
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.process_collector import ProcessCollector

from tests.composition import Running, composed
from tests.tuned import tuned
from tests.waiting import until
from wfx.api.request_counts import PLUGIN
from wfx.diagnostics.pages import PAGES
from wfx.domain.errors import StoreUnavailable
from wfx.domain.timestamp import Timestamp
from wfx.events.query import parse_query
from wfx.events.retention import Retention
from wfx.metrics import Metrics
from wfx.metrics.catalog import CATALOGUE, COMPATIBLE
from wfx.metrics.sources import _bounded
from wfx.request_context import Side
from wfx.service import health
from wfx.service.bounded_counts import MOST, OTHER, BoundedCounts
from wfx.service.job_retention import JobRetention
from wfx.service.readiness import Readiness
from wfx.store.bounded_cache import BoundedCache
from wfx.version import COMMIT, VERSION

OPENMETRICS = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"
OF_PROMETHEUS = (
    "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.7,"
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
    "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,"
    "text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)
WORKFLOW = {
    "name": "w",
    "states": [{"name": "NEW"}, {"name": "DONE"}, {"name": "LOST"}],
    "transitions": [
        {"from": "NEW", "to": "DONE", "eligible": "CLIENT"},
        {"from": "NEW", "to": "LOST", "eligible": "CLIENT"},
    ],
    "groups": [{"name": "OPEN", "states": ["NEW"]}, {"name": "CLOSED", "states": ["DONE"]}],
}
JOB = {"clientId": "c", "workflow": "w"}

Samples = dict[tuple[str, ...], float]
"""Values by the name and the values of the labels, ordered by the names of the labels."""


class Client:
    """An operator, a device and a scraper."""

    def __init__(self, running: Running, http: httpx.AsyncClient) -> None:
        """Use this service."""
        self.running = running
        self.http = http
        self._before: Samples = {}

    async def ask(self, side: Side, method: str, path: str, status: int, document: Any = None, **fields: str) -> Any:
        """Ask, below the API or at an absolute path; return the document."""
        base = f"http://127.0.0.1:{self.running.ports[side]}"
        url = base + path if path.startswith("//") else self.running.url(side) + path
        body = None if document is None else document
        answer = await self.http.request(method, url.replace(base + "//", base + "/"), json=body, headers=fields)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.headers.get("content-type") == "application/json" and answer.text else None

    async def scrape(self, accept: str = "") -> httpx.Response:
        """Get the metrics."""
        url = f"http://127.0.0.1:{self.running.ports[Side.NORTH]}/metrics"
        answer = await self.http.get(url, headers={"Accept": accept} if accept else {})
        assert answer.status_code == 200
        return answer

    async def samples(self) -> Samples:
        """Read all values."""
        return samples(text_string_to_metric_families((await self.scrape()).text))

    async def moved(self, *names: str) -> Samples:
        """Tell how the named values have changed since the last call."""
        now = await self.samples()
        before, self._before = self._before, now
        deltas = {key: value - before.get(key, 0) for key, value in now.items() if key[0] in names}
        return {key: value for key, value in deltas.items() if value}


def samples(families: Iterable[Metric]) -> Samples:
    """Read values from what a parser gives."""
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


@asynccontextmanager
async def service(folder: Path, **settings: Any) -> AsyncIterator[Client]:
    """Run a service, and use it."""
    async with composed(folder, **settings) as running, httpx.AsyncClient(trust_env=False, timeout=60) as http:
        yield Client(running, http)


async def test_forms(tmp_path: Path) -> None:
    """Who accepts OpenMetrics gets that, others Prometheus text; both name the same values, and are never cached."""
    async with service(tmp_path) as client:
        text, open_text = await client.scrape("text/plain"), await client.scrape(OPENMETRICS)
        assert text.headers["content-type"].startswith("text/plain; version=0.0.4")
        assert open_text.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
        assert open_text.text.endswith("# EOF\n")
        plain = samples(text_string_to_metric_families(text.text))
        opened = samples(openmetrics.text_string_to_metric_families(open_text.text))
        assert plain.keys() - {("wfx_http_requests_total", "GET", "/metrics", "north", "200")} <= opened.keys()
        assert text.headers["cache-control"] == "no-store"
        assert ("process_resident_memory_bytes",) in plain


@pytest.mark.parametrize(("accept", "answered"), [
    ("text/plain;version=x", "text/plain; version=0.0.4"),
    ("text/plain;version=1.x", "text/plain; version=0.0.4"),
    ("application/openmetrics-text;version=1.x", "text/plain; version=0.0.4"),
    ("application/openmetrics-text; version=x", "text/plain; version=0.0.4"),
    ("application/openmetrics-text;version=" + "9" * 5000, "text/plain; version=0.0.4"),
    ("text/plain;version=x,application/openmetrics-text;version=1.0.0", "application/openmetrics-text; version=1.0.0"),
    ("text/plain;version=,;;=,\xb9", "text/plain; version=0.0.4"),
    ("application/openmetrics-text;version=7.0", "text/plain; version=0.0.4"),
    ("application/openmetrics-text;version=0.0.1", "text/plain; version=0.0.4"),
    ("text/plain;version=7.0", "text/plain; version=0.0.4"),
    ("application/openmetrics-text;version=7.0,text/plain;version=1.0.0;q=0.1", "text/plain; version=1.0.0"),
])  # fmt: skip
async def test_versions_that_are_not_written(accept: str, answered: str, tmp_path: Path) -> None:
    """Who asks for a version that is not written gets another form that is accepted, else Prometheus text."""
    await check_form(accept, answered, tmp_path)


@pytest.mark.parametrize(("accept", "answered"), [
    ("*/*", "text/plain; version=0.0.4; charset=utf-8"),
    ("text/plain", "text/plain; version=0.0.4"),
    ("Application/OpenMetrics-Text; Version=1.0.0", "application/openmetrics-text; version=1.0.0; charset=utf-8"),
    ('TEXT/PLAIN; VERSION="1.0.0"', "text/plain; version=1.0.0"),
    ("application/openmetrics-text;q=0", "text/plain; version=0.0.4"),
    ("application/openmetrics-text; Q=0.000, */*", "text/plain; version=0.0.4"),
    ("text/plain;q=0, */*", "application/openmetrics-text; version=1.0.0"),
    ("text/plain;version=0.0.4;q=0, text/plain", "text/plain; version=1.0.0"),
    ("*/*;q=0", "text/plain; version=0.0.4"),
    ("application/openmetrics-text;q=0.1, text/plain", "text/plain; version=0.0.4"),
    ("text/plain, application/openmetrics-text", "application/openmetrics-text; version=1.0.0"),
    ("text/*;q=0.1, application/*;q=0.2", "application/openmetrics-text; version=1.0.0"),
    ('text/plain;note=",application/openmetrics-text,"', "text/plain; version=0.0.4"),
    ("application/openmetrics-text;q=2", "text/plain; version=0.0.4"),
    ("application/openmetrics-text" + ",a/b" * 1_000, "application/openmetrics-text; version=1.0.0"),
    ("application/openmetrics-text" + ",a/b" * 1_100, "text/plain; version=0.0.4"),
    (OF_PROMETHEUS, "application/openmetrics-text; version=1.0.0"),
])  # fmt: skip
async def test_the_form_that_is_accepted(accept: str, answered: str, tmp_path: Path) -> None:
    """What is accepted is read as RFC 9110 has it: names in any case, the best quality wins, 0 is not acceptable."""
    await check_form(accept, answered, tmp_path)


async def check_form(accept: str, answered: str, folder: Path) -> None:
    """Ask for the metrics with this field ``Accept``."""
    async with service(folder) as client:
        answer = await client.http.get(
            f"http://127.0.0.1:{client.running.ports[Side.NORTH]}/metrics",
            headers=[(b"Accept", accept.encode("latin-1"))],
        )
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith(answered)


async def test_places(tmp_path: Path) -> None:
    """Metrics are on the northbound side alone, at the path of the option, and nowhere if that is empty."""
    async with service(tmp_path) as client:
        await client.ask(Side.SOUTH, "GET", "//metrics", 404)
        await client.ask(Side.NORTH, "GET", "//metrics/more", 404)
        await client.ask(Side.NORTH, "POST", "//metrics", 405)
        await client.ask(Side.NORTH, "HEAD", "//metrics", 200)
    async with service(tmp_path, metrics_path="/internal/figures") as client:
        await client.ask(Side.NORTH, "GET", "//metrics", 404)
        await client.ask(Side.NORTH, "GET", "//internal/figures", 200)
    async with service(tmp_path, metrics_path="") as client:
        await client.ask(Side.NORTH, "GET", "//metrics", 404)


async def ask_for_each_route(client: Client) -> None:
    """Ask for routes of all kinds, with answers of all kinds."""
    await client.ask(Side.NORTH, "POST", "/workflows", 201, WORKFLOW)
    job = (await client.ask(Side.NORTH, "POST", "/jobs", 201, JOB))["id"]
    for _ in range(3):
        await client.ask(Side.SOUTH, "GET", f"/jobs/{job}", 200)
    await client.ask(Side.SOUTH, "HEAD", f"/jobs/{job}", 200)
    for number in range(4):
        await client.ask(Side.SOUTH, "GET", f"/jobs/none-{number}", 404)
        await client.ask(Side.NORTH, "GET", f"//nowhere/{number}", 404)
    await client.ask(Side.SOUTH, "PATCH", f"/jobs/{job}", 405)
    await client.ask(Side.SOUTH, "PURGE", "//nowhere", 405)
    await client.ask(Side.NORTH, "GET", "//download/x", 404)
    for path in ("//health", "//healthz", "//readyz"):
        await client.ask(Side.NORTH, "GET", path, 200)
    browser = {"Host": "evil.example", "Origin": "https://evil.example"}
    await client.ask(Side.NORTH, "GET", "/jobs", 421, **browser)
    preflight = {"Origin": "https://a.example", "Access-Control-Request-Method": "PUT"}
    await client.ask(Side.NORTH, "OPTIONS", "/jobs", 204, **preflight)


async def test_requests(tmp_path: Path) -> None:
    """Requests count by side, route, method and status; paths as they were sent are no routes."""
    names = ("wfx_http_requests_total", "wfx_http_request_duration_seconds_count")
    async with service(tmp_path, allowed_origin=("https://a.example",)) as client:
        await client.moved(*names)
        await ask_for_each_route(client)
        counted, timed = names
        assert await client.moved(*names) == {
            (counted, "POST", "PostWorkflows", "north", "201"): 1,
            (timed, "POST", "PostWorkflows", "north"): 1,
            (counted, "POST", "PostJobs", "north", "201"): 1,
            (timed, "POST", "PostJobs", "north"): 1,
            (counted, "GET", "GetJobsId", "south", "200"): 3,
            (counted, "GET", "GetJobsId", "south", "404"): 4,
            (timed, "GET", "GetJobsId", "south"): 7,
            (counted, "HEAD", "GetJobsId", "south", "200"): 1,
            (timed, "HEAD", "GetJobsId", "south"): 1,
            (counted, "GET", "unmatched", "north", "404"): 4,
            (counted, "PATCH", "unmatched", "south", "405"): 1,
            (counted, "other", "unmatched", "south", "405"): 1,
            (counted, "GET", "/download", "north", "404"): 1,
            (counted, "GET", "/health", "north", "200"): 1,
            (timed, "GET", "/health", "north"): 1,
            (counted, "GET", "/healthz", "north", "200"): 1,
            (counted, "GET", "/readyz", "north", "200"): 1,
            (counted, "GET", "/metrics", "north", "200"): 1,  # the one before
            (counted, "GET", "host-check", "north", "421"): 1,
            (counted, "OPTIONS", "preflight", "north", "204"): 1,
        }


async def test_many_requests(tmp_path: Path) -> None:
    """However many requests there are between two scrapes, each counts once, in a bucket of its time."""
    async with service(tmp_path) as client:
        for _ in range(1201):
            await client.ask(Side.SOUTH, "GET", "/jobs", 200)
        found = await client.samples()
        assert found["wfx_http_requests_total", "GET", "GetJobs", "south", "200"] == 1201
        assert found["wfx_http_request_duration_seconds_count", "GET", "GetJobs", "south"] == 1201
        assert found["wfx_http_request_duration_seconds_bucket", "+Inf", "GET", "GetJobs", "south"] == 1201
        assert found["wfx_http_request_duration_seconds_sum", "GET", "GetJobs", "south"] > 0


def test_groups_of_many_workflows() -> None:
    """However many workflows there are, the sum over a group's jobs is exact; ever more groups are one in the end."""
    counts = {(f"w{number}", group): 3 for number in range(MOST) for group in ("OPEN", "CLOSED", "")}
    bounded = _bounded(counts)
    sums = Counter[str]()
    for (_, group), number in bounded.items():
        sums[group] += number
    assert sums == {"OPEN": 3 * MOST, "CLOSED": 3 * MOST, "": 3 * MOST}
    many = {("w", f"g{number}"): 2 for number in range(10 * MOST)} | {("v", "OPEN"): 1}
    bounded = _bounded(many)
    assert bounded[OTHER, "OPEN"] == 1
    assert len(bounded) < 2 * MOST
    assert sum(bounded.values()) == sum(many.values())
    assert bounded[OTHER, OTHER] > 0


async def test_clients_that_leave(tmp_path: Path) -> None:
    """A request whose client leaves before its answer counts with status 499."""
    start = b"PUT /api/wfx/v1/jobs/none/status HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    async with service(tmp_path) as client:
        counts = dict(client.running.parts.endpoints[Side.SOUTH].counts)["PutJobsIdStatus", "PUT"]
        connection = await client.running.connect(Side.SOUTH, start + b"Content-Length: 9\r\n\r\n{")
        await until(lambda: client.running.parts.limits.listeners[0].running == 1)
        await connection.close()
        await until(lambda: counts.answers[499] == 1)
        assert (await client.samples())["wfx_http_requests_total", "PUT", "PutJobsIdStatus", "south", "499"] == 1


@pytest.mark.parametrize("path", ["/metrics", "/readyz", "/debug/processes"])
async def test_failures_and_clients_that_leave(
    path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What fails beside the API counts with status 500, and with 499 if its client leaves; the log names the path."""
    route = "/debug" if path.startswith("/debug") else path
    crash, asked = True, asyncio.Event()

    async def fail(*_: object) -> None:
        asked.set()
        await (asyncio.Event().wait() if not crash else asyncio.sleep(0))
        raise RuntimeError("a fault")

    settings = {"debug_enabled": True, "debug_auth_token": "secret"}
    async with service(tmp_path, **settings) as client:
        monkeypatch.setattr(Metrics, "refresh", fail)
        monkeypatch.setattr(Readiness, "not_ready_reason", fail)
        monkeypatch.setitem(cast("dict[str, Any]", PAGES), "/processes", fail)
        await client.ask(Side.NORTH, "GET", f"/{path}", 500, **{"X-Debug-Token": "secret"})
        assert f"unexpected error in the answer to {path}\n" in caplog.text
        counts = dict(client.running.parts.endpoints[Side.NORTH].counts)[route, "GET"]
        crash = False
        asked.clear()
        connection = await client.running.connect(
            Side.NORTH, f"GET {path} HTTP/1.1\r\nHost: localhost\r\nX-Debug-Token: secret\r\n\r\n".encode()
        )
        async with asyncio.timeout(60):
            await asked.wait()
        # Closed this way the connection is reset; an end of what is sent alone could be followed by the answer.
        connection.writer.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
        await connection.close()
        await until(lambda: sum(counts.answers.values()) == 2)
        assert counts.answers == {500: 1, 499: 1}


async def test_jobs(tmp_path: Path) -> None:
    """Jobs are there by workflow and group, as the store has them; those created count by workflow."""
    async with service(tmp_path) as client:
        for name in ("w", "other"):
            await client.ask(Side.NORTH, "POST", "/workflows", 201, {**WORKFLOW, "name": name})
        await client.moved()
        jobs = [(await client.ask(Side.NORTH, "POST", "/jobs", 201, JOB))["id"] for _ in range(6)]
        await client.ask(Side.NORTH, "POST", "/jobs", 201, {**JOB, "workflow": "other"})
        await client.ask(Side.NORTH, "POST", "/jobs", 400, {**JOB, "workflow": "none"})
        for job, state in zip(jobs[:4], ("DONE", "DONE", "DONE", "LOST"), strict=True):
            await client.ask(Side.SOUTH, "PUT", f"/jobs/{job}/status", 200, {"state": state})
        await client.ask(Side.NORTH, "DELETE", f"/jobs/{jobs[0]}", 204)
        assert await client.moved("wfx_jobs", "wfx_jobs_created_total", "wfx_log_head") == {
            ("wfx_jobs", "OPEN", "w"): 2,
            ("wfx_jobs", "CLOSED", "w"): 2,
            ("wfx_jobs", "", "w"): 1,
            ("wfx_jobs", "OPEN", "other"): 1,
            ("wfx_jobs_created_total", "w"): 6,
            ("wfx_jobs_created_total", "other"): 1,
            ("wfx_log_head",): 7 + 4 + 1,
        }


async def retention_is_done(client: Client) -> None:
    """Wait for what the service writes by itself when it starts: it prunes."""
    batches = client.running.parts.monitoring.metrics._sources.batches
    await until(lambda: sum(batches.sizes.counts) == 3)


async def test_store(tmp_path: Path) -> None:
    """Commits, caches, sizes and connections of the store are told."""
    async with service(tmp_path) as client:
        await retention_is_done(client)
        await client.ask(Side.NORTH, "POST", "/workflows", 201, WORKFLOW)
        names = [family.shown for family in CATALOGUE.values() if family.name.startswith(("wfx_cache", "wfx_store"))]
        first = await client.moved(*names, "wfx_store_batch_size_sum", "wfx_store_commit_duration_seconds_count")
        assert (first["wfx_store_up",], first["wfx_store_connections",], first["wfx_store_write_queue_capacity",]) == (
            1,
            4,
            4096,
        )
        assert first["wfx_store_bytes", "database"] > 0
        assert first["wfx_store_bytes", "wal"] > 0
        jobs = [(await client.ask(Side.NORTH, "POST", "/jobs", 201, JOB))["id"] for _ in range(2)]
        for _ in range(3):
            await client.ask(Side.SOUTH, "GET", f"/jobs/{jobs[0]}", 200)
        for _ in range(4):
            await client.ask(Side.SOUTH, "GET", "/jobs?clientId=c", 200)
        changed = await client.moved(*names, "wfx_store_batch_size_sum", "wfx_store_commit_duration_seconds_count")
        assert {key: value for key, value in changed.items() if key[0] != "wfx_store_bytes"} == {
            ("wfx_cache_misses_total", "jobs"): 1,
            ("wfx_cache_hits_total", "jobs"): 2,
            ("wfx_cache_misses_total", "polls"): 1,
            ("wfx_cache_hits_total", "polls"): 3,
            ("wfx_cache_entries", "jobs"): 1,
            ("wfx_cache_entries", "polls"): 1,
            ("wfx_store_batch_size_sum",): 2,
            ("wfx_store_commit_duration_seconds_count",): 2,
        }
        assert ("wfx_store_write_queue_length",) in await client.samples()


async def test_retention(tmp_path: Path) -> None:
    """Jobs deleted for their age count by group, tombstones while they are kept, and the last turn has its time."""
    names = "wfx_jobs_removed_total", "wfx_tombstones"
    year_2100 = 4_102_444_800
    async with service(tmp_path) as client:
        await client.ask(Side.NORTH, "POST", "/workflows", 201, WORKFLOW)
        for state in ("DONE", "DONE", "LOST"):
            job = (await client.ask(Side.NORTH, "POST", "/jobs", 201, JOB))["id"]
            await client.ask(Side.SOUTH, "PUT", f"/jobs/{job}/status", 200, {"state": state})
        await client.moved()
        parts = client.running.parts.monitoring.metrics._sources
        kept = JobRetention(
            parts.store, tuned(jobs_closed_max_age=("1d",)), pause=0, now=lambda: Timestamp(year_2100 * 1_000_000),
            figures=parts.retention,
        )  # fmt: skip
        assert await kept.delete_old_jobs() == 3
        assert await client.moved(*names) == {
            ("wfx_jobs_removed_total", "CLOSED"): 2, ("wfx_jobs_removed_total", ""): 1, ("wfx_tombstones",): 3,
        }  # fmt: skip
        await kept.take_turn()
        assert await client.moved(*names) == {("wfx_tombstones",): -3}
        assert (await client.samples())["wfx_job_retention_last_turn_timestamp_seconds",] == year_2100


async def test_events(tmp_path: Path) -> None:
    """The ends of the log, consumers' places and losses, and the readers of event streams are told."""
    names = [f.shown for f in CATALOGUE.values() if f.name.startswith(("wfx_log_", "wfx_consumer", "wfx_event"))]
    async with service(tmp_path) as client:
        parts = client.running.parts.monitoring.metrics._sources
        await client.ask(Side.NORTH, "POST", "/workflows", 201, WORKFLOW)
        await parts.store.consumer("mirror")
        stream = await client.running.connect(
            Side.SOUTH, b"GET /api/wfx/v1/jobs/events HTTP/1.1\r\nHost: localhost\r\n\r\n"
        )
        await stream.until(b"\r\n\r\n")
        first = await client.moved(*names)
        assert first == {
            ("wfx_log_head",): 1, ("wfx_log_oldest",): 1, ("wfx_event_subscribers",): 1,
            ("wfx_consumer_position", "mirror"): 1,
        }  # fmt: skip
        for _ in range(5):
            await client.ask(Side.NORTH, "POST", "/jobs", 201, JOB)
        await parts.store.step("mirror", 1, 0, 3, ())
        assert await client.moved(*names) == {
            ("wfx_log_head",): 5, ("wfx_consumer_position", "mirror"): 2, ("wfx_consumer_lag_events", "mirror"): 3,
        }  # fmt: skip
        lost: Any = parts.lost_events
        retention = Retention(parts.store, tuned(events_keep=1), keep_for_consumers=1, lost=lost)
        await retention.prune()
        assert await client.moved(*names) == {
            ("wfx_log_oldest",): 5, ("wfx_consumer_position", "mirror"): 2, ("wfx_consumer_lag_events", "mirror"): -2,
            ("wfx_consumer_events_lost_total", "mirror"): 2,
        }  # fmt: skip
        await stream.close()
        await until(lambda: parts.services.broker.subscribers == 0)
        found = await client.samples()
        assert (found["wfx_event_subscribers",], found["wfx_event_subscriber_lag_events",]) == (0, 0)


async def test_a_reader_that_is_behind(tmp_path: Path) -> None:
    """The reader that is furthest behind tells by how many events."""
    async with service(tmp_path) as client:
        await client.ask(Side.NORTH, "POST", "/workflows", 201, WORKFLOW)
        for _ in range(9):
            await client.ask(Side.NORTH, "POST", "/jobs", 201, JOB)
        broker = client.running.parts.services.broker
        await until(lambda: broker.head == 10)
        subscription = await broker.subscribe(parse_query({"since": "4", "clientId": [], "jobId": [], "workflow": [],
                                                           "tag": [], "action": []}))  # fmt: skip
        chunks = subscription.chunks()
        await anext(chunks)
        assert (await client.samples())["wfx_event_subscriber_lag_events",] == 6
        await chunks.aclose()


async def test_plugins(tmp_path: Path) -> None:
    """Plugins count by side and name: how long each decision took, and how many requests got none that can be used."""
    (tmp_path / "plugins").mkdir(mode=0o755)
    plugins = PluginDirectory(tmp_path / "plugins")
    plugins.script("a", "while request := frame():\n    write(passed(cookie(request)))")
    plugins.sdk("b", "run(lambda request: Modify(headers={'X': 'a\\nb'}))")
    names = ("wfx_plugin_decision_duration_seconds_count", "wfx_plugin_undecided_total", "wfx_http_requests_total")
    async with service(tmp_path, client_plugins_dir=str(plugins.path), plugin_timeout=60.0) as client:
        await client.moved(*names)
        for _ in range(3):
            await client.ask(Side.SOUTH, "GET", "/jobs", 503)
        assert await client.moved(*names) == {
            ("wfx_plugin_decision_duration_seconds_count", "a", "south"): 3,
            ("wfx_plugin_decision_duration_seconds_count", "b", "south"): 3,
            ("wfx_plugin_undecided_total", "b", "south"): 3,
            ("wfx_http_requests_total", "GET", "plugin", "south", "503"): 3,
            ("wfx_http_requests_total", "GET", "/metrics", "north", "200"): 1,
        }
        assert not client.running.parts.plugins[Side.SOUTH].lost.done()


async def test_plugins_that_observe(tmp_path: Path) -> None:
    """Answers that an observer was told of are counted by side and name, and those that it was not told of."""
    (tmp_path / "plugins" / "observe").mkdir(mode=0o755, parents=True)
    PluginDirectory(tmp_path / "plugins" / "observe").script("slow", "time.sleep(600)")
    names = ("wfx_plugin_observations_total", "wfx_plugin_observations_dropped_total")
    async with service(tmp_path, client_plugins_dir=str(tmp_path / "plugins")) as client:
        await client.moved(*names)
        for _ in range(3):
            await client.ask(Side.SOUTH, "GET", "/jobs", 200)
        assert await client.moved(*names) == {("wfx_plugin_observations_total", "observe/slow", "south"): 3}
        (observer,) = client.running.parts.plugins[Side.SOUTH].observers
        observer.tell(bytes(17 * 1024 * 1024))
        assert await client.moved(*names) == {("wfx_plugin_observations_dropped_total", "observe/slow", "south"): 1}


@pytest.mark.parametrize("body", [b"{", b"{}"], ids=["while the body arrives", "while the plugin decides"])
async def test_clients_that_leave_before_a_plugin_has_decided(body: bytes, tmp_path: Path) -> None:
    """A request whose client leaves before the plugins have decided counts with status 499, once."""
    (tmp_path / "plugins").mkdir(mode=0o755)
    plugins = PluginDirectory(tmp_path / "plugins")
    plugins.script("silent", "hold()")
    head = b"PUT /api/wfx/v1/jobs/none/status HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n"
    async with service(tmp_path, client_plugins_dir=str(plugins.path), plugin_timeout=60.0) as client:
        counts = client.running.parts.endpoints[Side.SOUTH].counts.of(PLUGIN, "PUT")
        connection = await client.running.connect(Side.SOUTH, head + body)
        await until(lambda: client.running.parts.limits.listeners[0].running == 1)
        connection.writer.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
        await connection.close()
        await until(lambda: bool(counts.answers))
        assert counts.answers == {499: 1}
        assert (await client.samples())["wfx_http_requests_total", "PUT", "plugin", "south", "499"] == 1


async def test_plugins_see_metrics_but_no_probes(tmp_path: Path) -> None:
    """A northbound plugin decides on metrics, which tell something, and is not asked about probes, which do not."""
    (tmp_path / "plugins").mkdir(mode=0o755)
    plugins = PluginDirectory(tmp_path / "plugins")
    plugins.script("silent", "hold()")
    async with service(tmp_path, mgmt_plugins_dir=str(plugins.path), plugin_timeout=0.1) as client:
        await client.ask(Side.NORTH, "GET", "//metrics", 503)
        await client.ask(Side.NORTH, "GET", "//healthz", 200)
        await client.ask(Side.NORTH, "GET", "//readyz", 200)


async def test_workers_and_build(tmp_path: Path) -> None:
    """Worker processes count while they run; the version is told."""
    async with service(tmp_path, filter_timeout=60.0) as client:
        first = await client.samples()
        assert (first["wfx_worker_processes", "filter"], first["wfx_worker_processes", "body"]) == (0, 0)
        assert first["wfx_build_info", COMMIT, VERSION] == 1
        assert first["wfx_ready",] == 1
        await client.ask(Side.NORTH, "GET", "/jobs", 200, **{"X-Response-Filter": "reduce range(10) as $n (0; . + $n)"})
        assert (await client.samples())["wfx_worker_processes", "filter"] == 1


async def test_compatible_names(tmp_path: Path) -> None:
    """With metrics-compat each of the names nflow_* and ifttt_* is there too, and moves by the exact count."""
    names = [family.shown for family in COMPATIBLE.values()] + ["ifttt_event_processing_duration_ms_count"]
    async with service(tmp_path, metrics_compat=True) as client:
        parts = client.running.parts.monitoring.metrics._sources
        await client.ask(Side.NORTH, "POST", "/workflows", 201, WORKFLOW)
        await parts.store.consumer("mirror")
        await until(lambda: parts.services.broker.head == 1)
        first = await client.samples()
        await client.moved(*names)
        assert first["nflow_db_connections_open",] == 4
        assert 0 < first["nflow_go_memory_alloc_bytes",] < first["nflow_go_memory_sys_bytes",]
        assert first["ifttt_queue_utilization_ratio",] == 0
        jobs = [(await client.ask(Side.NORTH, "POST", "/jobs", 201, JOB))["id"] for _ in range(3)]
        for _ in range(3):
            await client.ask(Side.SOUTH, "GET", f"/jobs/{jobs[0]}", 200)
        await client.ask(Side.SOUTH, "PUT", f"/jobs/{jobs[1]}/status", 200, {"state": "DONE"})
        await client.ask(Side.SOUTH, "PUT", f"/jobs/{jobs[1]}/status", 400, {"state": "NEW"})
        await until(lambda: parts.services.broker.head == 5)
        changed = await client.moved(*names)
        memory = {("nflow_go_memory_alloc_bytes",), ("nflow_go_memory_sys_bytes",)}
        assert {key: value for key, value in changed.items() if key not in memory} == {
            ("nflow_requests_total",): 3 + 3 + 2 + 1,  # and the scrape before
            ("nflow_workflows_total",): 3,
            ("nflow_processes_active",): 2,
            ("nflow_cache_hits",): 3,
            ("nflow_cache_misses",): 2,
            ("ifttt_events_enqueued_total",): 4,
            ("ifttt_events_processed_total",): 4,
            ("ifttt_scenarios_matched_total", "w"): 3,
            ("ifttt_actions_executed_total", "PostJobs", "success"): 3,
            ("ifttt_actions_executed_total", "PutJobsIdStatus", "success"): 1,
            ("ifttt_actions_executed_total", "PutJobsIdStatus", "error"): 1,
            ("ifttt_event_processing_duration_ms_count",): 3 + 2,
        }
        lost: Any = parts.lost_events
        await Retention(parts.store, tuned(events_keep=1), keep_for_consumers=1, lost=lost).prune()
        assert (await client.moved("ifttt_events_dropped_total"))["ifttt_events_dropped_total",] == 3


async def test_kinds_of_compatible_names(tmp_path: Path) -> None:
    """Names of others have the kinds that they have elsewhere, and are gone once metrics-compat is off."""
    async with service(tmp_path, metrics_compat=True) as client:
        text = (await client.scrape(OPENMETRICS)).text
        families = {family.name: family.type for family in openmetrics.text_string_to_metric_families(text)}
        assert {name: families[name] for name in COMPATIBLE} == {
            family.name: str(family.kind) for family in COMPATIBLE.values()
        }
        client.running.tune(metrics_compat=False)
        assert "nflow_" not in (await client.scrape()).text


async def test_parsers_under_load(tmp_path: Path) -> None:
    """While jobs are created and read, the parsers of Prometheus read each scrape, and counters never go back."""
    async with service(tmp_path, metrics_compat=True) as client:
        await client.ask(Side.NORTH, "POST", "/workflows", 201, WORKFLOW)

        async def work() -> None:
            for _ in range(30):
                job = (await client.ask(Side.NORTH, "POST", "/jobs", 201, JOB))["id"]
                await client.ask(Side.SOUTH, "GET", f"/jobs/{job}", 200)

        working = asyncio.gather(*(work() for _ in range(8)))
        last: Samples = {}
        while not working.done():
            for accept, parse in (("", text_string_to_metric_families),
                                  (OPENMETRICS, openmetrics.text_string_to_metric_families)):  # fmt: skip
                now = samples(parse((await client.scrape(accept)).text))
                risen = [key for key, value in last.items() if key[0].endswith(("_total", "_count", "_bucket"))
                         and now[key] < value]  # fmt: skip
                assert risen == []
                last = now
        await working
        found = await client.samples()
        assert found["wfx_jobs_created_total", "w"] == found["wfx_jobs", "OPEN", "w"] == 240
        assert found["wfx_http_requests_total", "GET", "GetJobsId", "south", "200"] == 240


async def test_a_store_that_is_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Metrics are there when the store is not: they say that it is down, and leave out what only it knows."""
    async with service(tmp_path) as client:
        parts = client.running.parts.monitoring.metrics._sources

        async def fail(_self: object) -> None:
            raise StoreUnavailable("gone")

        monkeypatch.setattr(type(parts.store), "ping", fail)
        monkeypatch.setattr(type(parts.store), "count_jobs", fail)
        monkeypatch.setattr(health, "KEEP_SECONDS", -1.0)  # each probe asks anew
        found = await client.samples()
        assert (found["wfx_store_up",], found["wfx_ready",]) == (0, 0)
        assert not [key for key in found if key[0] in ("wfx_log_head", "wfx_store_bytes")]
        assert ("wfx_http_requests_total", "GET", "/metrics", "north", "200") in await client.samples()


async def test_a_scrape_does_not_hold_up_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A scrape neither asks the system about the process on the event loop, nor copies a cache to count its entries."""
    asked: list[threading.Thread] = []
    collect = ProcessCollector.collect

    def note(self: ProcessCollector) -> Iterable[Metric]:
        asked.append(threading.current_thread())
        return collect(self)

    def refuse(_self: object) -> None:
        raise AssertionError("the cache is copied")

    monkeypatch.setattr(ProcessCollector, "collect", note)
    monkeypatch.setattr(BoundedCache, "all", refuse)
    async with service(tmp_path, metrics_compat=True) as client:
        found = await client.samples()
        assert found["process_open_fds",] > 0
        assert found["wfx_cache_entries", "jobs"] == 0
    assert len(asked) == 1
    assert threading.main_thread() not in asked


def test_bounded_labels() -> None:
    """Of ever more workflows those with the most jobs are told apart, and the others are one; names are cut."""
    counts = {(f"w{number}", "g" * 1000): number for number in range(1, MOST + 11)}
    bounded = _bounded(counts)
    assert len(bounded) == MOST + 1
    assert bounded[OTHER, "g" * 64] == sum(range(1, 11))
    assert bounded[f"w{MOST}", "g" * 64] == MOST
    created = BoundedCounts(2)
    for name in "abcbaa":
        created.note(name)
    assert dict(created) == {"a": 3, "b": 2, OTHER: 1}
