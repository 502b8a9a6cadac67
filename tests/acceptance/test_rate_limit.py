"""The limit of requests per address, by services that run."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from plugin_programs import PluginDirectory

from tests.clock import Clock
from tests.composition import Running, composed
from tests.server.everywhere import Everywhere
from wfx.request_context import Side

PAGE = "https://console.example"
ENGINES = ("uvicorn", "hypercorn")


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    """Each engine."""
    name: str = request.param
    return name


def stop_clock(running: Running) -> Clock:
    """Have the limit use a clock that the test sets."""
    clock = Clock()
    running.parts.buckets._clock = clock
    return clock


def count(running: Running, side: Side) -> float | None:
    """How many requests were refused, by the metrics."""
    labels = {"side": str(side), "reason": "rate"}
    return running.parts.monitoring.metrics.registry.get_sample_value("wfx_refusals_total", labels)


async def test_a_hundred_each_minute(engine: str, tmp_path: Path) -> None:
    """By default the 101st request of a minute is answered with 429; a minute later 100 more pass."""
    async with (
        composed(tmp_path, http_engine=engine, rate_limit_enabled=True) as running,
        httpx.AsyncClient(trust_env=False) as client,
    ):
        clock = stop_clock(running)
        url = f"{running.url(Side.NORTH)}/jobs"
        assert [(await client.get(url)).status_code for _ in range(101)] == [200] * 100 + [429]
        clock.now += 60
        assert [(await client.get(url)).status_code for _ in range(101)] == [200] * 100 + [429]


async def test_the_answer(engine: str, tmp_path: Path) -> None:
    """A refusal says in its header and its body when to come back; other answers say nothing of the limit."""
    async with (
        composed(tmp_path, http_engine=engine, rate_limit_enabled=True, ip_rate_limit=1) as running,
        httpx.AsyncClient(trust_env=False) as client,
    ):
        clock = stop_clock(running)
        url = f"{running.url(Side.NORTH)}/jobs"
        passed = await client.get(url)
        assert not [name for name in passed.headers if "ratelimit" in name or name == "retry-after"]
        clock.now += 20
        before = time.time()
        refused = await client.get(url)
        after = time.time()
        assert refused.status_code == 429
        assert [refused.headers[name] for name in ("retry-after", "x-ratelimit-limit", "x-ratelimit-remaining")] == [
            "40", "1", "0",
        ]  # fmt: skip
        assert before + 40 <= int(refused.headers["x-ratelimit-reset"]) <= after + 41
        (error,) = refused.json()["errors"]
        assert (error["code"], set(error)) == ("wfx.tooManyRequests", {"code", "logref", "message"})


async def test_one_bucket_for_both_sides(engine: str, tmp_path: Path) -> None:
    """Where both sides are limited an address has one bucket; refusals are counted for each side."""
    settings: dict[str, Any] = {"ip_rate_limit": 1, "rate_limit_sides": ("north", "south")}
    async with (
        composed(tmp_path, http_engine=engine, rate_limit_enabled=True, **settings) as running,
        httpx.AsyncClient(trust_env=False) as client,
    ):
        stop_clock(running)
        asked = (Side.NORTH, Side.SOUTH, Side.NORTH, Side.SOUTH)
        seen = [(await client.get(f"{running.url(side)}/jobs")).status_code for side in asked]
        assert seen == [200, 429, 429, 429]
        assert (count(running, Side.NORTH), count(running, Side.SOUTH)) == (1, 2)


async def test_devices_behind_one_address(engine: str, tmp_path: Path) -> None:
    """With the limit switched on, and nothing else said, devices are not limited."""
    async with (
        composed(tmp_path, http_engine=engine, rate_limit_enabled=True, ip_rate_limit=1) as running,
        httpx.AsyncClient(trust_env=False) as client,
    ):
        stop_clock(running)
        for side, expected in ((Side.NORTH, [200, 429]), (Side.SOUTH, [200, 200])):
            url = f"{running.url(side)}/jobs"
            assert [(await client.get(url)).status_code for _ in range(2)] == expected


@pytest.mark.parametrize("paths", [
    ("/metrics", "/healthz", "/readyz"), ("/internal/figures", "/internal/alive", "/internal/ready"),
], ids=["default", "moved"])  # fmt: skip
async def test_monitoring_is_never_limited(engine: str, paths: tuple[str, str, str], tmp_path: Path) -> None:
    """Health, probes and metrics answer at the paths they have, though the address has no token left."""
    metrics, liveness, readiness = paths
    settings: dict[str, Any] = {"metrics_path": metrics, "liveness_path": liveness, "readiness_path": readiness}
    async with (
        composed(tmp_path, http_engine=engine, rate_limit_enabled=True, ip_rate_limit=1, **settings) as running,
        httpx.AsyncClient(trust_env=False, base_url=f"http://127.0.0.1:{running.ports[Side.NORTH]}") as client,
    ):
        stop_clock(running)
        assert [(await client.get("/api/wfx/v1/jobs")).status_code for _ in range(2)] == [200, 429]
        for path in ("/health", "/api/wfx/v1/health", *paths):
            assert [(await client.get(path)).status_code for _ in range(2)] == [200, 200], path


async def test_nothing_is_read_or_asked_first(engine: str, tmp_path: Path) -> None:
    """A request beyond the limit is answered before its body has come, and before a plugin sees it."""
    (tmp_path / "plugins").mkdir(mode=0o755)
    plugins = PluginDirectory(tmp_path / "plugins")
    plugins.sdk("deny", "run(lambda request: Respond.deny('no'))\n")
    head = b"POST /api/wfx/v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    settings = {"http_engine": engine, "mgmt_plugins_dir": str(plugins.path)}
    async with composed(tmp_path, rate_limit_enabled=True, ip_rate_limit=1, **settings) as running:
        stop_clock(running)
        first = await running.connect(Side.NORTH, head + b"Content-Length: 2\r\n\r\n{}")
        assert b" 403 " in await first.until(b"\r\n")
        second = await running.connect(Side.NORTH, head + b"Content-Length: 1000000\r\n\r\n{")
        assert b" 429 " in await second.until(b"\r\n")
        for connection in (first, second):
            await connection.close()


async def test_pages_can_read_the_answer(tmp_path: Path) -> None:
    """A page of an origin that is allowed sees the 429; its preflights do not count."""
    settings: dict[str, Any] = {"allowed_origin": (PAGE,), "rate_limit_enabled": True, "ip_rate_limit": 1}
    async with composed(tmp_path, **settings) as running, httpx.AsyncClient(trust_env=False) as client:
        stop_clock(running)
        url = f"{running.url(Side.NORTH)}/jobs"
        preflight = {"Origin": PAGE, "Access-Control-Request-Method": "GET"}
        for _ in range(3):
            assert (await client.options(url, headers=preflight)).status_code == 204
        answers = [await client.get(url, headers={"Origin": PAGE}) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [200, 429]
        assert {answer.headers["access-control-allow-origin"] for answer in answers} == {PAGE}


async def test_clients_behind_a_proxy(engine: str, tmp_path: Path) -> None:
    """Behind a proxy that is trusted each client has its own limit; one that is not trusted cannot speak for others."""
    for trusted, expected in ((("127.0.0.1",), [200, 200, 429]), ((), [200, 429, 429])):
        settings: dict[str, Any] = {"http_engine": engine, "trusted_proxy": trusted, "ip_rate_limit": 1}
        folder = tmp_path / f"trusts-{len(trusted)}"
        folder.mkdir()
        async with (
            composed(folder, rate_limit_enabled=True, **settings) as running,
            httpx.AsyncClient(trust_env=False) as client,
        ):
            stop_clock(running)
            seen = [
                (await client.get(f"{running.url(Side.NORTH)}/jobs", headers={"X-Forwarded-For": name})).status_code
                for name in ("198.51.100.1", "198.51.100.2", "198.51.100.1")
            ]
            assert seen == expected


def test_unix_sockets(engine: str, tmp_path: Path) -> None:
    """Clients of Unix sockets are not limited; a proxy there that is trusted passes the limit on to its clients."""
    options = [f"--http-engine={engine}", "--rate-limit-enabled", "--ip-rate-limit=1", "--ip-window-minutes=1000"]
    options.append("--rate-limit-sides=north,south")
    with Everywhere(tmp_path, "unix", *options, "--trusted-proxy=unix") as service:
        for side in ("north", "south"):
            transport = httpx.HTTPTransport(uds=service.socket(side))
            with httpx.Client(transport=transport, base_url="http://localhost") as client:
                assert {client.get("/api/wfx/v1/jobs").status_code for _ in range(5)} == {200}
                fields = {"X-Forwarded-For": "198.51.100.1" if side == "north" else "198.51.100.2"}
                seen = [client.get("/api/wfx/v1/jobs", headers=fields).status_code for _ in range(2)]
                assert seen == [200, 429]
