"""Settings that are replaced while the service runs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from plugin_programs import PluginDirectory

from tests.composition import Connection, Running, composed
from tests.tuned import tuned
from tests.waiting import until
from wfx.config.tunables import Derived, Holder
from wfx.domain import creation
from wfx.domain.workflow import State, Workflow
from wfx.events.retention import Retention
from wfx.logs import expressions
from wfx.logs.masks import Mask
from wfx.logs.record import content_of, set_sanitizer
from wfx.request_context import Side
from wfx.server import limits
from wfx.store.opening import open_store


def workers() -> list[psutil.Process]:
    """The filter workers that there are."""
    return [child for child in psutil.Process().children() if "wfx.filtering.worker" in child.cmdline()]


@pytest.fixture
def plugins(tmp_path: Path) -> PluginDirectory:
    """An empty plugin directory."""
    (tmp_path / "plugins").mkdir(mode=0o755)
    return PluginDirectory(tmp_path / "plugins")


ENGINES = ("uvicorn", "hypercorn")
GET = b"GET /api/wfx/v1/jobs HTTP/1.1\r\nHost: localhost\r\n%b\r\n"
PAGE = "https://console.example"


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    """Each engine."""
    name: str = request.param
    return name


@pytest.fixture
def _log_level() -> Iterator[None]:
    """The log level of the tests stays as it is."""
    before = logging.getLogger().level
    yield
    logging.getLogger().setLevel(before)


async def test_retention() -> None:
    """How many events are kept may change: the next round drops those that are too many now."""
    store = await open_store("sqlite", ":memory:")
    await store.create_workflow(Workflow("flow", (State("NEW"),)))
    start = partial(creation.decide, client_id="c", definition=None, tags=())
    await asyncio.gather(*(store.create_job("flow", start) for _ in range(40)))
    tunables = tuned(events_keep=41)  # one is of the workflow
    retention = Retention(store, tunables)
    assert await retention.prune() == 0
    tunables.replace(tuned(events_keep=31).current)
    assert await retention.prune() == 10
    await store.close()


async def test_limit_of_connections(engine: str, tmp_path: Path) -> None:
    """Fewer connections may be allowed: new ones are refused, those that are open stay."""
    async with composed(tmp_path, http_engine=engine) as running:
        first = await running.connect(Side.NORTH, GET % b"")
        assert b" 200 OK" in await first.until(b"\r\n")
        running.tune(max_connections=1)
        second = await running.connect(Side.NORTH, GET % b"")
        assert b"too many connections" in await second.rest()
        first.writer.write(GET % b"")
        assert b" 200 OK" in await first.until(b" 200 OK")
        await first.close()
        await second.close()


async def test_limit_of_requests_and_time(engine: str, tmp_path: Path) -> None:
    """Requests at once, time to arrive and keep-alive may change: new connections have the new limits."""
    async with composed(tmp_path, http_engine=engine) as running:
        running.tune(max_requests=0)
        busy = await running.connect(Side.SOUTH, GET % b"")
        assert b" 503 " in await busy.rest()
        running.tune(max_requests=10, keep_alive=False)
        once = await running.connect(Side.SOUTH, GET % b"")
        assert b" 200 OK" in await once.rest(), "and the connection ends"
        running.tune(read_timeout=0.1)
        silent = await running.connect(Side.SOUTH)
        assert await silent.rest() == b""
        for connection in (busy, once, silent):
            await connection.close()


async def test_allowed_origins(engine: str, tmp_path: Path) -> None:
    """An origin may be allowed, and disallowed again: the next answer on the same connection says so."""
    async with composed(tmp_path, http_engine=engine) as running, httpx.AsyncClient(trust_env=False) as client:

        async def allowed() -> str | None:
            answer = await client.get(f"{running.url(Side.NORTH)}/jobs", headers={"Origin": PAGE})
            assert answer.status_code == 200
            allows: str | None = answer.headers.get("access-control-allow-origin")
            return allows

        assert await allowed() is None
        running.tune(allowed_origin=(PAGE,))
        assert await allowed() == PAGE
        running.tune(allowed_origin=("*",))
        assert await allowed() == "*"
        running.tune(allowed_origin=())
        assert await allowed() is None


async def test_allowed_hosts(tmp_path: Path) -> None:
    """A host name may be allowed to browsers while the service runs."""
    request = GET.replace(b"localhost", b"wfx.example") % b"Origin: https://console.example\r\n"
    async with composed(tmp_path) as running:
        connection = await running.connect(Side.NORTH, request)
        assert b" 421 " in await connection.until(b"\r\n")
        running.tune(allowed_host=("wfx.example",))
        again = await running.connect(Side.NORTH, request)
        assert b" 200 OK" in await again.until(b"\r\n")
        await connection.close()
        await again.close()


async def test_rate_limit(engine: str, tmp_path: Path) -> None:
    """The limit of requests per address may be switched on, changed and switched off, also for open connections."""
    async with composed(tmp_path, http_engine=engine) as running, httpx.AsyncClient(trust_env=False) as client:

        async def status() -> int:
            return (await client.get(f"{running.url(Side.NORTH)}/jobs")).status_code

        assert [await status() for _ in range(3)] == [200, 200, 200]
        running.tune(rate_limit_enabled=True, ip_rate_limit=2, ip_window_minutes=1000)
        assert [await status() for _ in range(3)] == [200, 200, 429]
        running.tune(ip_rate_limit=3)
        assert [await status() for _ in range(2)] == [200, 429]
        running.tune(rate_limit_sides=("south",))
        assert await status() == 200
        running.tune(rate_limit_sides=("north",), rate_limit_excluded_ips=("127.0.0.0/8",))
        assert await status() == 200
        running.tune(rate_limit_excluded_ips=())
        assert await status() == 429
        running.tune(rate_limit_enabled=False)
        assert await status() == 200


async def test_trusted_proxies(engine: str, tmp_path: Path) -> None:
    """A proxy may be trusted, and no longer: the next request on the same connection is its client's, or its own."""
    request = GET.replace(b"/api/wfx/v1/jobs", b"/") % b"X-Forwarded-Proto: https\r\n"
    async with composed(tmp_path, http_engine=engine) as running:
        connection = await running.connect(Side.NORTH)

        async def scheme() -> bytes:
            connection.writer.write(request)
            head = await connection.until(b"\r\n\r\n")
            return head.lower().partition(b"link: <")[2].partition(b":")[0]

        assert await scheme() == b"http"
        running.tune(trusted_proxy=("192.0.2.0/24", "127.0.0.1"))
        assert await scheme() == b"https"
        running.tune(trusted_proxy=())
        assert await scheme() == b"http"
        await connection.close()


async def test_keep_alives_of_streams(tmp_path: Path) -> None:
    """The time between keep-alives may change: streams that begin later have the new one."""
    async with composed(tmp_path) as running:
        running.tune(sse_ping_interval=0.05)
        stream = await running.connect(Side.SOUTH, GET.replace(b"/jobs", b"/jobs/events") % b"")
        assert await stream.until(b": keepalive")
        await stream.close()


async def test_time_for_plugins(tmp_path: Path, plugins: PluginDirectory) -> None:
    """The time that a plugin has for its answer may change: the next request waits no longer than that."""
    plugins.script("silent", "while True:\n    time.sleep(60)")
    async with composed(tmp_path, mgmt_plugins_dir=str(plugins.path), plugin_timeout=3600) as running:
        running.tune(plugin_timeout=0.1)
        refused = await running.connect(Side.NORTH, GET % b"")
        assert b" 503 " in await refused.until(b"\r\n")
        await refused.close()


async def test_limits_of_filters(tmp_path: Path) -> None:
    """What a response filter may use may change: also where its worker was started before."""
    async with composed(tmp_path, filter_timeout=3600) as running, httpx.AsyncClient(trust_env=False) as client:

        async def filtered(program: str) -> str:
            answer = await client.get(f"{running.url(Side.NORTH)}/jobs", headers={"X-Response-Filter": program})
            return answer.text

        harmless = "reduce range(10) as $n (0; . + $n)"
        assert await filtered(harmless) == "45\n"
        (first,) = workers()
        running.tune(filter_timeout=60)
        assert await filtered(harmless) == "45\n"
        (second,) = workers()
        assert first.pid != second.pid, "one that has the new limits"
        running.tune(max_requests=5000)
        assert await filtered(harmless) == "45\n"
        assert workers() == [second], "which stays while they do"
        running.tune(filter_timeout=0.3)
        assert "it ran for more than 0.3 s" in await filtered("[limit(1; repeat(1) | select(. > 1))]")
        running.tune(filter_output=2)
        assert "2 bytes" in await filtered("[range(10)] | map(. + 1)")


@pytest.mark.usefixtures("_log_level")
async def test_log_level(tmp_path: Path) -> None:
    """The log level may change."""
    async with composed(tmp_path) as running:
        for name, level in (("error", logging.ERROR), ("debug", logging.DEBUG)):
            running.tune(log_level=name)
            assert logging.getLogger("wfx.edge").getEffectiveLevel() == level


@pytest.mark.usefixtures("_log_level")
async def test_sanitizing_of_logs(tmp_path: Path) -> None:
    """What is hidden in log records, and how that is shown, may change; a pattern that is refused changes nothing."""
    record = logging.LogRecord("wfx", logging.INFO, "f.py", 1, "SN-1 of a@b.io", (), None)

    def shown() -> str:
        return content_of(record).message

    try:
        async with composed(tmp_path) as running:
            running.tune(log_sanitization=True)
            assert shown() == "SN-1 of [REDACTED:email]"
            running.tune(log_custom_pattern=("serial=SN-[0-9]",))
            assert shown() == "[REDACTED:serial] of [REDACTED:email]"
            running.tune(log_show_type=False, log_masking_char="#")
            assert shown() == "######## of ########"
            with pytest.raises(ValueError, match="cannot be used"):
                running.tune(log_custom_pattern=("serial=(",))
            assert shown() == "######## of ########"
            running.tune(log_sanitization=False)
            assert shown() == "SN-1 of a@b.io"
    finally:
        set_sanitizer(Mask(), None)


async def test_other_settings_compile_no_patterns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A change of other settings does not compile what is hidden in log records again."""
    compiled: list[str] = []

    def counted(expression: str, memory: int, *, capturing: bool = True) -> Any:
        compiled.append(expression)
        return expressions.compiled(expression, memory, capturing=capturing)

    monkeypatch.setattr("wfx.logs.sanitizer.compiled", counted)
    try:
        async with composed(tmp_path) as running:
            running.tune(log_sanitization=True, log_custom_pattern=("serial=SN-[0-9]{3}",))
            assert len(compiled) > 0
            compiled.clear()
            running.tune(events_keep=5)
            assert compiled == []
            running.tune(log_custom_pattern=("serial=SN-[0-9]{4}",))
            assert len(compiled) > 0
    finally:
        set_sanitizer(Mask(), None)


def test_what_is_computed_from_a_setting() -> None:
    """It is computed once for each replacement, however often it is used."""
    computed: list[int] = []
    holder = Holder(1)
    derived = Derived(holder, lambda value: computed.append(value) or -value)
    assert [derived.current, derived.current] == [-1, -1]
    holder.replace(2)
    assert [derived.current, derived.current] == [-2, -2]
    assert computed == [1, 2]


def test_settings_are_replaced_together_or_not_at_all() -> None:
    """Where a new value cannot be derived from, or an observer refuses it, all stay with the value before."""
    seen: list[int] = []

    def note(value: int) -> None:
        seen.append(value)
        if value == 3:
            raise ValueError("not three")

    holder = Holder(1)
    first = Derived(holder, lambda value: -value)
    holder.observe(seen.append)
    holder.observe(note)
    shares = Derived(holder, lambda value: 12 // value)
    for refused, error in ((0, ZeroDivisionError), (3, ValueError)):
        with pytest.raises(error):
            holder.replace(refused)
        assert (holder.current, first.current, shares.current) == (1, -1, 12)
    assert seen == [3, 3, 1, 1]
    holder.replace(4)
    assert (holder.current, first.current, shares.current) == (4, -4, 3)


async def test_a_setting_that_is_refused_changes_nothing(tmp_path: Path) -> None:
    """A set of settings with a log level that there is not leaves the service with those it had."""
    async with composed(tmp_path) as running:
        before = running.parts.tunables.current, running.parts.limits._settings.current
        with pytest.raises(KeyError):
            running.tune(log_level="nonsense", max_connections=7)
        assert (running.parts.tunables.current, running.parts.limits._settings.current) == before


async def _half_a_body(running: Running, side: Side) -> Connection:
    head = b"PUT /api/wfx/v1/jobs/none/status HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    return await running.connect(side, head + b"Content-Length: 100000\r\n\r\n" + b"x" * 99_000)


async def test_bodies_of_both_sides_share_their_memory(
    engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client's bodies on one listener count on the other one too: the memory for bodies is that of all together."""
    monkeypatch.setattr(limits, "_BODIES", 720_000)
    async with composed(tmp_path, http_engine=engine, max_body_size=100_000) as running, AsyncExitStack() as stack:
        for side in (Side.SOUTH, Side.SOUTH, Side.SOUTH):
            stack.push_async_callback((await _half_a_body(running, side)).close)
        bodies = running.parts.limits.bodies
        await until(lambda: bodies.held == 3 * 99_000)
        refused = await _half_a_body(running, Side.NORTH)
        assert b"too many large requests at once" in await refused.rest()
        await refused.close()
