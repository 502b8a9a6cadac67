"""Pages under /debug: who may see them, and what they tell."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import psutil
import pytest
from command_lines import runner
from plugin_programs import PluginDirectory

from tests.composition import Running, composed
from tests.waiting import until
from wfx.cli import PROGRAM
from wfx.config.cross_checks import OptionRefused, check
from wfx.config.options import OPTIONS, Config
from wfx.config.report import masked_text
from wfx.request_context import Side
from wfx.store import snapshot
from wfx.version import VERSION

TOKEN = "canary-4711"
SHOWN = {"Authorization": f"Bearer {TOKEN}"}
PAGES = ("info", "config", "processes", "cache/stats", "database/stats")
ON: dict[str, Any] = {"debug_enabled": True, "debug_auth_token": TOKEN}


@asynccontextmanager
async def service(folder: Path, **settings: Any) -> AsyncIterator[tuple[Running, httpx.AsyncClient]]:
    """Run a service, with a client of its northbound side."""
    async with composed(folder, **settings) as running:
        base = f"http://127.0.0.1:{running.ports[Side.NORTH]}"
        async with httpx.AsyncClient(base_url=base, trust_env=False, timeout=60) as client:
            yield running, client


async def statuses(client: httpx.AsyncClient, *paths: str, **fields: str) -> set[int]:
    """Ask for each; return the statuses."""
    return {(await client.get(f"/debug/{path}", headers=fields)).status_code for path in paths}


async def test_off(tmp_path: Path) -> None:
    """By default nothing is there, whoever asks, and it is the same as for any unknown path."""
    async with service(tmp_path) as (_, client):
        unknown, debug = await client.get("/nowhere"), await client.get("/debug/info", headers=SHOWN)
        assert (debug.status_code, debug.content) == (unknown.status_code, unknown.content) == (404, b"")
        assert await statuses(client, *PAGES, "", **SHOWN) == {404}
        assert (await client.post("/debug/info")).status_code == (await client.post("/nowhere")).status_code == 405


async def test_south(tmp_path: Path) -> None:
    """Devices have no such pages, with or without the secret."""
    async with service(tmp_path, **ON) as (running, client):
        url = f"http://127.0.0.1:{running.ports[Side.SOUTH]}/debug/info"
        assert (await client.get(url, headers=SHOWN)).status_code == 404


async def test_secret_that_is_no_text(tmp_path: Path) -> None:
    """A secret of any bytes, as from a random source, does not stop the start, and has to be shown byte by byte."""
    secret = b"ab\xffc"
    async with service(tmp_path, debug_enabled=True, debug_auth_token=os.fsdecode(secret)) as (_, client):
        for sent, status in ((secret, 200), (b"abc", 401), ("abÿc".encode(), 401)):
            answer = await client.get("/debug/info", headers={b"X-Debug-Token": sent})
            assert answer.status_code == status
            assert (await client.get(f"/debug/info?token={quote(sent)}")).status_code == status


@pytest.mark.parametrize("engine", ["uvicorn", "hypercorn"])
async def test_secret(engine: str, tmp_path: Path) -> None:
    """Without the secret each page is 401; it may be a bearer token, a field of its own, or a parameter."""
    async with service(tmp_path, http_engine=engine, **ON) as (_, client):
        assert await statuses(client, *PAGES, "nothing") == {401}
        refused = await client.get("/debug/info")
        assert refused.headers["www-authenticate"] == "Bearer"
        assert TOKEN not in refused.text
        wrong = ({"Authorization": "Bearer x"}, {"Authorization": f"Basic {TOKEN}"}, {"X-Debug-Token": TOKEN[:-1]},
                 {"X-Debug-Token": TOKEN + "x"}, {"X-Debug-Token": ""}, {"Authorization": "Bearer"})  # fmt: skip
        for fields in wrong:
            assert await statuses(client, "info", **fields) == {401}
        assert await statuses(client, f"info?token={TOKEN[1:]}", f"info?tokens={TOKEN}", "info?token=") == {401}
        for fields in (SHOWN, {"Authorization": f"bearer {TOKEN}"}, {"X-Debug-Token": TOKEN}):
            assert await statuses(client, *PAGES, **fields) == {200}
        assert await statuses(client, f"info?token={TOKEN}", f"info?a=b&token={TOKEN}") == {200}
        assert await statuses(client, "", "nothing", "info/", "cache", **SHOWN) == {404}
        assert (await client.post("/debug/info", headers=SHOWN)).status_code == 405
        assert (await client.head("/debug/info", headers=SHOWN)).status_code == 200


@pytest.mark.parametrize("engine", ["uvicorn", "hypercorn"])
async def test_secrets_that_are_not_ascii(engine: str, tmp_path: Path) -> None:
    """Whatever bytes are sent as the secret are compared: wrong ones are 401, and a secret may have any characters."""
    secret = "schlüssel-\N{KEY}"
    async with service(tmp_path, http_engine=engine, debug_enabled=True, debug_auth_token=secret) as (running, client):
        wrong = ("info?token=%ff", "info?x=%C3%A9", "info?%ff=%ff&token=%C3", "info?token=%00", "info?token=%zz")
        assert await statuses(client, *wrong) == {401}
        raw = b"GET /debug/info?token=\xe9 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        connection = await running.connect(Side.NORTH, raw)
        assert (await connection.rest()).split(b" ")[1] in {b"400", b"401"}
        await connection.close()
        assert await statuses(client, f"info?token={quote(secret)}") == {200}


async def test_addresses(tmp_path: Path) -> None:
    """Other addresses than the listed ones are refused with 403, before the secret is looked at; none listed is all."""
    for allowed, status in (
        (("127.0.0.1",), 200), (("127.0.0.0/8", "10.0.0.0/8"), 200), ((), 200),
        (("10.0.0.0/8",), 403), (("::1", "unix"), 403), (("127.0.0.2",), 403),
    ):  # fmt: skip
        async with service(tmp_path, debug_allowed_ips=allowed, **ON) as (_, client):
            assert await statuses(client, *PAGES, **SHOWN) == {status}
            assert await statuses(client, "info") == {403 if status == 403 else 401}


async def test_trusted_proxies(tmp_path: Path) -> None:
    """Behind a trusted proxy the client's address counts; what others say about themselves does not."""
    settings = {**ON, "debug_allowed_ips": ("192.0.2.0/24",)}
    near, far = {"X-Forwarded-For": "192.0.2.7"}, {"X-Forwarded-For": "198.51.100.1"}
    async with service(tmp_path, trusted_proxy=("127.0.0.1",), **settings) as (_, client):
        assert await statuses(client, "info", **SHOWN, **near) == {200}
        assert await statuses(client, "info", **SHOWN, **far) == {403}
        assert await statuses(client, "info", **SHOWN) == {403}
    async with service(tmp_path, **settings) as (_, client):
        assert await statuses(client, "info", **SHOWN, **near) == {403}


async def test_switched_while_it_runs(tmp_path: Path) -> None:
    """The pages, their secret and their addresses may change while the service runs."""
    async with service(tmp_path) as (running, client):
        assert await statuses(client, "info", **SHOWN) == {404}
        running.tune(debug_enabled=True, debug_auth_token=TOKEN)
        assert await statuses(client, "info", **SHOWN) == {200}
        running.tune(debug_auth_token="another")
        assert await statuses(client, "info", **SHOWN) == {401}
        running.tune(debug_auth_token=TOKEN, debug_allowed_ips=("10.0.0.0/8",))
        assert await statuses(client, "info", **SHOWN) == {403}
        running.tune(debug_enabled=False)
        assert await statuses(client, "info", **SHOWN) == {404}


async def test_contents(tmp_path: Path) -> None:
    """The pages tell what runs, the settings without secrets, processes, and how caches and the database do."""
    (tmp_path / "plugins").mkdir(mode=0o755)
    plugins = PluginDirectory(tmp_path / "plugins")
    plugins.script("pass", "while request := frame():\n    write(passed(cookie(request)))")
    async with service(tmp_path, client_plugins_dir=str(plugins.path), **ON) as (running, client):
        await client.post("/api/wfx/v1/workflows", json={"name": "w", "states": [{"name": "S"}], "transitions": []})
        job = (await client.post("/api/wfx/v1/jobs", json={"clientId": "c", "workflow": "w"})).json()["id"]
        for _ in range(3):
            await client.get(f"/api/wfx/v1/jobs/{job}")
        await client.get("/api/wfx/v1/jobs", headers={"X-Response-Filter": "reduce range(10) as $n (0; . + $n)"})
        await running.parts.monitoring.metrics._sources.store.consumer("mirror")
        pages = {path: await client.get(f"/debug/{path}", headers=SHOWN) for path in PAGES}
        assert {page.headers["cache-control"] for page in pages.values()} == {"no-store"}
        found = {path: page.json() for path, page in pages.items()}
        assert (found["info"]["pid"], found["info"]["version"]) == (os.getpid(), VERSION)
        assert found["info"]["uptimeSeconds"] > 0
        assert set(found["config"]) == {option.name for option in OPTIONS}
        assert found["config"]["debug-auth-token"] == {"value": "***", "changeNeeds": "reload"}
        assert found["config"]["client-plugins-dir"]["value"] == str(plugins.path)
        processes = found["processes"]
        assert processes["service"]["residentBytes"] > 0
        (plugin,) = processes["plugins"]
        assert (plugin["side"], plugin["name"], plugin["open"]) == ("south", "pass", True)
        (worker,) = processes["workers"]
        assert worker["kind"] == "filter"
        assert psutil.pid_exists(worker["pid"])
        assert {"retention", "health", "follow-log"} <= set(processes["tasks"])
        assert found["cache/stats"]["jobs"] == {"entries": 1, "hits": 2, "misses": 1}
        database = found["database/stats"]
        assert (database["jobs"], database["connections"], database["log"]["head"]) == (1, 4, 2)
        assert database["bytes"]["database"] > 0
        assert database["consumers"]["mirror"] == {"position": 2, "steps": 0, "lost": 0, "lag": 0}
        assert database["details"]["journal_mode"] == "wal"


async def test_names_that_are_no_text(tmp_path: Path) -> None:
    """Names of files that are no UTF-8 are shown with escapes, on the pages and in metrics."""
    directory = tmp_path / os.fsdecode(b"plug\xffins")
    await asyncio.to_thread(directory.mkdir, mode=0o755)
    plugins = PluginDirectory(directory)
    plugins.script(os.fsdecode(b"p\xff"), "while request := frame():\n    write(passed(cookie(request)))")
    async with service(tmp_path, client_plugins_dir=str(directory), **ON) as (_, client):
        assert await statuses(client, *PAGES, **SHOWN) == {200}
        assert [each["name"] for each in (await client.get("/debug/processes", headers=SHOWN)).json()["plugins"]] == [
            "p\\xff"
        ]
        assert 'plugin="p\\\\xff"' in (await client.get("/metrics")).text


async def test_lag_while_the_log_grows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Consumers are never ahead of the log, also where both move on while the page is made."""
    async with service(tmp_path, **ON) as (running, client):
        store: Any = running.parts.monitoring.metrics._sources.store
        await client.post("/api/wfx/v1/workflows", json={"name": "w", "states": [{"name": "S"}], "transitions": []})
        await store.consumer("mirror")
        count_jobs = type(store).count_jobs

        async def count_slowly(store: Any) -> Any:
            counted = await count_jobs(store)
            for _ in range(5):
                await client.post("/api/wfx/v1/jobs", json={"clientId": "c", "workflow": "w"})
            await store.step("mirror", 1, 0, 6, ())
            return counted

        monkeypatch.setattr(type(store), "count_jobs", count_slowly)
        page = (await client.get("/debug/database/stats", headers=SHOWN)).json()
        assert (page["log"]["head"], page["consumers"]["mirror"]["position"]) == (6, 6)
        assert page["consumers"]["mirror"]["lag"] == 0


async def test_a_store_that_does_not_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the store takes too long the page of the database is 503; the others are there."""
    async with service(tmp_path, **ON) as (running, client):

        async def hang(_store: object) -> None:
            await asyncio.Event().wait()

        monkeypatch.setattr(type(running.parts.monitoring.metrics._sources.store), "count_jobs", hang)
        monkeypatch.setattr(snapshot, "DEADLINE_SECONDS", 0.1)
        assert await statuses(client, "database/stats", **SHOWN) == {503}
        assert await statuses(client, "info", "processes", "cache/stats", **SHOWN) == {200}


async def test_listeners(tmp_path: Path) -> None:
    """Listeners are told apart by their addresses; what the rate limit refuses counts for a side."""
    north = str(tmp_path / "north.sock")
    unix = {"scheme": ("unix", "http"), "client_unix_socket": str(tmp_path / "south.sock"), "mgmt_unix_socket": north}
    limit = {"rate_limit_enabled": True, "ip_rate_limit": 1, "rate_limit_excluded_paths": ("/debug",)}
    async with service(tmp_path, **limit, **unix, **ON) as (running, client):
        running.parts.buckets._clock = lambda: 0.0  # nothing is given back meanwhile
        assert [(await client.get("/api/wfx/v1/jobs")).status_code for _ in range(4)] == [200, 429, 429, 429]
        page = (await client.get("/debug/processes", headers=SHOWN)).json()
        assert page["rateLimited"] == {"north": 3, "south": 0}
        assert [each["refusals"] for each in page["listeners"]] == [{}] * 4
        addresses = {each["address"] for each in page["listeners"] if each["side"] == "north"}
        assert addresses == {f"127.0.0.1:{running.ports[Side.NORTH]}", north}


async def test_no_secret_is_shown(tmp_path: Path) -> None:
    """Row 57: no page shows a password of the data source, nor the secret of the pages; reloads do not log it."""
    option = f"file:{tmp_path}/wfx.db?_auth_pass={TOKEN}"
    config: dict[str, Any] = {**ON}
    async with composed(tmp_path, **config) as running:
        running_config: Any = running.parts.running_config
        running_config.config = Config(storage_opt=option, **config)
        base = f"http://127.0.0.1:{running.ports[Side.NORTH]}"
        async with httpx.AsyncClient(base_url=base, trust_env=False, timeout=60) as client:
            for path in PAGES:
                answer = await client.get(f"/debug/{path}", headers=SHOWN)
                assert answer.status_code == 200
                assert TOKEN not in answer.text
    (secret,) = (option for option in OPTIONS if option.name == "debug-auth-token")
    assert (masked_text(secret, TOKEN), masked_text(secret, "")) == ("***", "")  # what the log of a reload shows


@pytest.mark.parametrize("way", ["flag", "variable", "file"])
def test_the_command_config_masks_the_secret(way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`wfx config` masks the secret, however it was given, and warns of a file that everybody may read."""
    monkeypatch.chdir(tmp_path)
    Path("wfx.yml").write_text(f"debug: {{enabled: true, auth-token: {TOKEN}}}" if way == "file" else "")
    Path("wfx.yml").chmod(0o644)
    flags = ["--debug-enabled", f"--debug-auth-token={TOKEN}"] if way == "flag" else []
    env = {"WFX_DEBUG_ENABLED": "true", "WFX_DEBUG_AUTH_TOKEN": TOKEN} if way == "variable" else {}
    for form in ("text", "json"):
        outcome = runner(PROGRAM, tmp_path / "home")("config", f"--output={form}", *flags, env=env)
        assert TOKEN not in outcome.out + outcome.err
        assert "***" in outcome.out
    assert json.loads(outcome.out)["options"]["debug-enabled"]["value"] is True


@pytest.mark.parametrize("secret", ["", " ", "\t", " secret", "secret\n"])
def test_pages_without_a_secret_are_refused(secret: str) -> None:
    """The service does not start with the pages and without a secret that a header field can have."""
    with pytest.raises(OptionRefused, match="debug-auth-token"):
        check(Config(debug_enabled=True, debug_auth_token=secret))
    check(Config(debug_enabled=True, debug_auth_token="a secret"))


async def test_one_snapshot_for_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many ask for the database's figures, the store counts once at a time, and once for all who wait."""
    running_counts, most, counted, asked = 0, 0, 0, 0
    going_on = asyncio.Event()
    async with service(tmp_path, **ON) as (running, client):
        store: Any = running.parts.monitoring.metrics._sources.store
        count_jobs = type(store).count_jobs

        async def count(self: object) -> Any:
            nonlocal running_counts, most, counted
            running_counts, counted = running_counts + 1, counted + 1
            most = max(most, running_counts)
            await going_on.wait()
            running_counts -= 1
            return await count_jobs(self)

        take = snapshot.Snapshots.take

        async def noted(self: snapshot.Snapshots) -> snapshot.StoreSnapshot:
            nonlocal asked
            asked += 1
            return await take(self)

        monkeypatch.setattr(type(store), "count_jobs", count)
        monkeypatch.setattr(snapshot.Snapshots, "take", noted)
        first = asyncio.create_task(client.get("/debug/database/stats", headers=SHOWN))
        await until(lambda: counted == 1)
        paths = ["/debug/database/stats"] * 5 + ["/metrics"]
        others = [asyncio.create_task(client.get(path, headers=SHOWN)) for path in paths]
        await until(lambda: asked == len(others) + 1)
        going_on.set()
        answers = await asyncio.gather(first, *others)
        assert {answer.status_code for answer in answers} == {200}
        assert most == 1
        assert counted == 2
