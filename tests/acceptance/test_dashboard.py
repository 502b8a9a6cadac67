"""The dashboard, and the rest of the guide to observability, tried with a real Prometheus that scrapes the service."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import socket
import subprocess
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from plugin_programs import PluginDirectory

from tests.composition import DEADLINE, Running, composed
from wfx.metrics import document
from wfx.metrics.catalog import CATALOGUE, COMPATIBLE
from wfx.request_context import Side

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "observability.md"
WINDOW = "30s"
"""In place of the interval that Grafana chooses."""
WORKFLOW = {"name": "w", "states": [{"name": "S"}], "transitions": [], "groups": [{"name": "OPEN", "states": ["S"]}]}


def queries() -> dict[str, str]:
    """The queries of the dashboard by the titles of their panels and their letters."""
    dashboard = json.loads((ROOT / "docs" / "grafana-dashboard.json").read_text(encoding="utf-8"))
    return {
        f"{panel['title']} ({target['refId']})": target["expr"].replace("$__rate_interval", WINDOW)
        for panel in dashboard["panels"]
        for target in panel["targets"]
    }


def alerts() -> list[str]:
    """The conditions of the alerts in the guide."""
    return re.findall(r"^ +expr: (.+)$", GUIDE.read_text(encoding="utf-8"), re.MULTILINE)


def scrape_config() -> str:
    """The configuration of Prometheus that the guide shows."""
    found = re.search(r"```yaml\n(scrape_configs:\n.+?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    return found[1]


def free_port() -> int:
    """A port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def programs() -> dict[str, str]:
    """Prometheus and its checker."""
    found = {name: shutil.which(name) for name in ("prometheus", "promtool")}
    assert all(found.values()), "prometheus is missing: install Debian's package prometheus"
    return {name: str(path) for name, path in found.items()}


@asynccontextmanager
async def prometheus(program: str, folder: Path, scraped: int) -> AsyncIterator[tuple[Process, httpx.AsyncClient]]:
    """Run Prometheus, which scrapes a port as the guide says, but more often."""
    config = scrape_config().replace("localhost:8081", f"127.0.0.1:{scraped}").replace("15s", "200ms")
    assert "200ms" in config
    (folder / "prometheus.yml").write_text(config)
    for _ in range(5):  # a port that was free may be taken a moment later
        port = free_port()
        command = [program, f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
                   f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn"]  # fmt: skip
        with (folder / "prometheus.log").open("wb") as log:
            process = await asyncio.create_subprocess_exec(*command, stdout=log, stderr=log)
        try:
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60) as client:
                if await is_ready(process, client):
                    yield process, client
                    return
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()
    raise AssertionError((folder / "prometheus.log").read_text())


async def is_ready(process: Process, client: httpx.AsyncClient) -> bool:
    """Wait until Prometheus serves; return whether it does, and has not ended."""
    async with asyncio.timeout(DEADLINE):
        while process.returncode is None:
            try:
                if (await client.get("/-/ready")).status_code == 200:
                    return True
            except httpx.TransportError:
                pass  # it does not listen yet
            await asyncio.sleep(0.05)
    return False


async def result(client: httpx.AsyncClient, query: str) -> list[Any]:
    """Ask Prometheus; what it has no data for is empty."""
    answer = await client.get("/api/v1/query", params={"query": query})
    assert answer.status_code == 200, f"{query}: {answer.text}"
    found: list[Any] = answer.json()["data"]["result"]
    return found


async def keep_busy(running: Running, stop: asyncio.Event) -> None:
    """Create jobs and read them until it is enough."""
    async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
        while not stop.is_set():
            job = await client.post(running.url(Side.NORTH) + "/jobs", json={"clientId": "c", "workflow": "w"})
            await client.get(f"{running.url(Side.SOUTH)}/jobs/{job.json()['id']}")
            await client.get(f"{running.url(Side.SOUTH)}/jobs?clientId=c")
            await asyncio.sleep(0.05)


async def test_each_query_has_data(programs: dict[str, str], tmp_path: Path) -> None:
    """Each query of the dashboard, and of ours for names of others, returns data from a Prometheus that scrapes wfx."""
    (tmp_path / "plugins").mkdir(mode=0o755)
    plugins = PluginDirectory(tmp_path / "plugins")
    plugins.script("pass", "while request := frame():\n    write(passed(cookie(request)))")
    wanted = queries() | {family.name: family.ours for family in COMPATIBLE.values()}
    wanted |= {f"compatible {family.name}": _plain(family.shown, str(family.kind)) for family in COMPATIBLE.values()}
    assert len(wanted) > 50
    async with composed(tmp_path, client_plugins_dir=str(plugins.path), metrics_compat=True) as running:
        async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
            (await client.post(running.url(Side.NORTH) + "/workflows", json=WORKFLOW)).raise_for_status()
        await running.parts.monitoring.metrics._sources.store.consumer("mirror")
        running.parts.monitoring.metrics._sources.lost_events["mirror"] += 0  # type: ignore[index]  # a counter, shown since it is 0
        enough = asyncio.Event()
        busy = asyncio.create_task(keep_busy(running, enough))
        async with prometheus(programs["prometheus"], tmp_path, running.ports[Side.NORTH]) as (process, scraping):
            missing = set(wanted)
            async with asyncio.timeout(DEADLINE):
                while missing:
                    missing = {name for name in missing if not await result(scraping, wanted[name])}
                    assert not busy.done(), await busy
                    assert process.returncode is None, "Prometheus has ended"
            (up,) = await result(scraping, "up")
            assert up["value"][1] == "1"
            for expression in alerts():
                await result(scraping, expression)  # must be a valid query; a healthy service raises no alert
        enough.set()
        await busy


def _plain(name: str, kind: str) -> str:
    return f"{name}_count" if kind == "histogram" else name


async def test_promtool(programs: dict[str, str], tmp_path: Path) -> None:
    """Prometheus's own checker finds nothing wrong with the metrics, nor with the configuration in the guide."""
    async with composed(tmp_path, metrics_compat=False) as running:
        async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
            text = (await client.get(f"http://127.0.0.1:{running.ports[Side.NORTH]}/metrics")).content
        checker = await asyncio.create_subprocess_exec(
            programs["promtool"], "check", "metrics", stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )  # fmt: skip
        told, _ = await checker.communicate(text)
        assert (checker.returncode, told) == (0, b"")
    (tmp_path / "prometheus.yml").write_text(scrape_config())
    checker = await asyncio.create_subprocess_exec(
        programs["promtool"], "check", "config", str(tmp_path / "prometheus.yml"), stdout=subprocess.PIPE
    )
    assert await checker.wait() == 0


def names_in(text: str) -> Iterator[str]:
    """The names of our metrics in a text."""
    yield from re.findall(r"\bwfx_[a-z_]+", text)


def test_the_guide_is_current() -> None:
    """The tables of metrics in the guide are those of the program; `make docs` writes them anew."""
    text = GUIDE.read_text(encoding="utf-8")
    assert text == document.updated(text)


def test_the_dashboard_names_each_metric() -> None:
    """The dashboard has each metric of ours, and no name that there is not."""
    endings = ("", "_bucket", "_sum", "_count")
    shown = {f"{family.shown}{ending}": family.name for family in CATALOGUE.values() for ending in endings}
    used = set(names_in("\n".join(queries().values())))
    assert used <= set(shown)
    # What is in others already, or for people who look closely.
    beside = {
        "wfx_consumer_position", "wfx_consumer_events_lost", "wfx_cache_entries", "wfx_store_connections",
        "wfx_jobs_removed", "wfx_tombstones", "wfx_job_retention_last_turn_timestamp_seconds",
        "wfx_scripts_operations", "wfx_scripts_workers_replaced", "wfx_scripts_cache_entries", "wfx_scripts_cache_hits",
        "wfx_scripts_cache_misses", "wfx_steps_running",
    }  # fmt: skip
    assert {shown[name] for name in used} | beside == set(CATALOGUE)
