"""Probes: whether the process lives, and whether the service can serve."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, nullcontext
from pathlib import Path
from typing import Any

import httpx
import pytest
from command_lines import runner

from tests.composition import DEADLINE, Running, composed
from tests.waiting import until
from wfx import supervise
from wfx.api.routes import service_routes
from wfx.cli import PROGRAM
from wfx.compose import compose
from wfx.config.cross_checks import OptionRefused, check
from wfx.config.option_checks import own_path
from wfx.config.options import Config, Host
from wfx.domain.errors import StoreUnavailable
from wfx.request_context import Side
from wfx.server.listeners import open_listeners
from wfx.service import health
from wfx.signals import ControlEvents
from wfx.systemd import ServiceManager

ENGINES = ("uvicorn", "hypercorn")


async def ask(port: int, path: str, method: str = "GET") -> httpx.Response:
    """Ask, over a connection of its own."""
    async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
        return await client.request(method, f"http://127.0.0.1:{port}{path}")


async def statuses(running: Running, side: Side, *paths: str) -> list[int]:
    """Ask for each; return the statuses."""
    return [(await ask(running.ports[side], path)).status_code for path in paths]


@pytest.mark.parametrize("engine", ENGINES)
async def test_a_service_that_serves(engine: str, tmp_path: Path) -> None:
    """A service that serves is alive and ready, on the northbound side, at these paths and none below."""
    async with composed(tmp_path, http_engine=engine) as running:
        north = running.ports[Side.NORTH]
        alive, ready = await ask(north, "/healthz"), await ask(north, "/readyz")
        assert (alive.status_code, alive.json()) == (200, {"status": "alive"})
        assert (ready.status_code, ready.json()) == (200, {"status": "ready"})
        assert alive.headers["cache-control"] == ready.headers["cache-control"] == "no-store"
        head = await ask(north, "/readyz", "HEAD")
        assert (head.status_code, head.content) == (200, b"")
        refused = await ask(north, "/readyz", "POST")
        assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD")
        assert await statuses(running, Side.NORTH, "/healthz/", "/readyz/x") == [404, 404]
        assert await statuses(running, Side.SOUTH, "/healthz", "/readyz") == [404, 404]


async def test_paths(tmp_path: Path) -> None:
    """Probes are at the paths of their options, and nowhere if those are empty."""
    async with composed(tmp_path, liveness_path="/live", readiness_path="/probes/ready") as running:
        paths = ("/live", "/probes/ready", "/healthz", "/readyz")
        assert await statuses(running, Side.NORTH, *paths) == [200, 200, 404, 404]
    async with composed(tmp_path, liveness_path="", readiness_path="") as running:
        assert await statuses(running, Side.NORTH, "/healthz", "/readyz", "/health") == [404, 404, 200]


async def test_a_store_that_is_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """While the store does not answer the service is alive and not ready; only the log has the error of the driver."""
    async with composed(tmp_path) as running:
        store: Any = running.parts.monitoring.metrics._sources.store
        monkeypatch.setattr(health, "KEEP_SECONDS", -1.0)  # each probe asks anew

        async def fail(_self: object) -> None:
            raise StoreUnavailable("the disk is gone")

        with monkeypatch.context() as patched:
            patched.setattr(type(store), "ping", fail)
            answer = await ask(running.ports[Side.NORTH], "/readyz")
            assert answer.status_code == 503
            assert answer.json() == {"reason": "the store is down", "status": "not ready"}
            assert await statuses(running, Side.NORTH, "/healthz", "/health") == [200, 503]
        assert "store is down: the disk is gone" in caplog.text
        assert await statuses(running, Side.NORTH, "/readyz") == [200]


@pytest.mark.parametrize("engine", ENGINES)
async def test_a_service_that_stops(engine: str, tmp_path: Path) -> None:
    """When the service is to stop it is not ready any more before anything ends: it is alive, and answers requests."""
    config = Config(
        client_host=Host("127.0.0.1"), client_port=0, mgmt_port=0, http_engine=engine,
        storage_opt=f"file:{tmp_path}/wfx.db",
    )  # fmt: skip
    control = ControlEvents()
    async with AsyncExitStack() as stack:
        parts = await compose(config, stack, control.stop)
        listeners = open_listeners(config)
        ports = {listener.side: listener.socket.getsockname()[1] for listener in listeners}
        going_on = asyncio.Event()
        close = parts.services.broker.close

        async def close_later() -> None:
            await going_on.wait()
            await close()

        parts.services.broker.close = close_later  # type: ignore[method-assign]  # streams that end when the test says
        serving = supervise._serve(parts, listeners, nullcontext(), control, ServiceManager({}))
        task = asyncio.create_task(serving)
        await until(lambda: len(parts.limits.listeners) == len(listeners))
        assert (await ask(ports[Side.NORTH], "/readyz")).status_code == 200
        control.stop.set()
        await asyncio.sleep(0)
        answer = await ask(ports[Side.NORTH], "/readyz")
        assert (answer.status_code, answer.json()["reason"]) == (503, "the service is stopping")
        assert (await ask(ports[Side.NORTH], "/healthz")).status_code == 200
        assert (await ask(ports[Side.SOUTH], "/api/wfx/v1/jobs")).status_code == 200
        going_on.set()
        async with asyncio.timeout(DEADLINE):
            await task
        with pytest.raises(httpx.ConnectError):
            await ask(ports[Side.NORTH], "/readyz")


@pytest.mark.parametrize("settings", [
    {"liveness_path": "/readyz"}, {"readiness_path": "/metrics"}, {"metrics_path": "/healthz"},
])  # fmt: skip
def test_paths_that_are_the_same(settings: dict[str, Any]) -> None:
    """Two of the paths cannot be the same."""
    with pytest.raises(OptionRefused, match="is the value of"):
        check(Config(**settings))
    check(Config(liveness_path="", readiness_path="", metrics_path=""))


@pytest.mark.parametrize(("settings", "refused"), [
    ({"metrics_path": "/readyz/x"}, "metrics-path: /readyz/x is below /readyz, the value of readiness-path"),
    ({"readiness_path": "/metrics/ready"}, "readiness-path: /metrics/ready is below /metrics"),
    ({"liveness_path": "/readyz/alive/x"}, "liveness-path: /readyz/alive/x is below /readyz"),
])  # fmt: skip
def test_paths_below_each_other(settings: dict[str, Any], refused: str) -> None:
    """None of the paths can be below another."""
    with pytest.raises(OptionRefused, match=f"^{refused}"):
        check(Config(**settings))
    check(Config(metrics_path="/monitoring/metrics", liveness_path="/monitoring/live", readiness_path="/metricsready"))


@pytest.mark.parametrize("option", ["metrics-path", "liveness-path", "readiness-path"])
@pytest.mark.parametrize("path", ["/swagger.json", "/openapi.json", "/openapiv3.json", "/debug/x", "/api/x"])
def test_paths_of_the_service(option: str, path: str, tmp_path: Path) -> None:
    """Each of the paths is refused where the service has something else, or would be taken to have."""
    outcome = runner(PROGRAM, tmp_path)("config", f"--{option}={path}")
    assert outcome.code == 1
    assert f"{path.split('/')[1]} stands for something else" in outcome.out + outcome.err


def test_all_routes_are_taken() -> None:
    """No path of the service can become one of these paths."""
    paths = [route.path for route in service_routes() if route.path != "/"]
    for path in paths:
        with pytest.raises(ValueError, match=r"stands for something else|must be a path"):
            own_path(path)
