"""Opening a store on PostgreSQL, and what its options do."""

from __future__ import annotations

import gc
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from postgres_server import PASSWORD, USER, Postgres

from tests.store.postgres_schemas import EMPTY
from tests.store.samples import FLOW, begin, renamed
from wfx.config.options import Config
from wfx.demo.local import LocalService
from wfx.domain.errors import StoreUnusable
from wfx.store.backend_kinds import backend_kind
from wfx.store.opening import open_store
from wfx.store.postgres import driver
from wfx.store.storage_settings import StorageSettings

SESSIONS = "SELECT count(*) FROM pg_stat_activity WHERE datname = '{}' AND backend_type = 'client backend'"
_WITHOUT_DRIVER = """
import asyncio, sys
sys.modules["asyncpg"] = None
from wfx.store.opening import open_store
asyncio.run(open_store("postgres", "host=db"))
"""


async def test_reopening(postgres: Postgres) -> None:
    """What was stored is there again for the next who opens the database, or is connected to it meanwhile."""
    with postgres.database() as name:
        store = await open_store("postgres", postgres.conninfo(name))
        other = await open_store("postgres", postgres.conninfo(name))
        await store.create_workflow(FLOW)
        assert await other.get_workflow(FLOW.name) == FLOW
        await store.close()
        await other.close()
        again = await open_store("postgres", postgres.conninfo(name))
        assert await again.get_workflow(FLOW.name) == FLOW
        await again.close()
        assert postgres.sql(SESSIONS.format(name)) == ["0"]


async def test_what_a_start_asks_for(option: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A start opens four connections, and asks PostgreSQL about its types only if no other one has in this process."""
    connects, introspections = Counter[str](), Counter[str]()
    connect, introspect = asyncpg.connect, asyncpg.Connection._introspect_types

    async def connecting(*words: Any, **named: Any) -> Any:
        connects["made"] += 1
        return await connect(*words, **named)

    async def asking(self: Any, *words: Any) -> Any:
        introspections["made"] += 1
        return await introspect(self, *words)

    monkeypatch.setattr(asyncpg, "connect", connecting)
    monkeypatch.setattr(asyncpg.Connection, "_introspect_types", asking)
    monkeypatch.setattr(driver, "_known_types", {})
    for number in range(2):
        connects.clear()
        store = await open_store("postgres", option)
        assert connects["made"] == 4, "one for the tables, and those for changes, reads and notifications"
        workflow = await store.create_workflow(renamed(f"flow-{number}", FLOW))
        job = await store.create_job(workflow.name, begin(tags=["x"]))
        assert await store.get_job(job.id) == job
        await store.close()
        assert (introspections["made"] > 0) == (number == 0)
        introspections.clear()


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("host=127.0.0.1 port=1", "cannot use the database me on 127.0.0.1:1: no connection to PostgreSQL:"),
        ("nonsense=1", "the storage option has the parameter nonsense at character 1, which is not known"),
    ],
)  # fmt: skip
async def test_refusals(monkeypatch: pytest.MonkeyPatch, option: str, message: str) -> None:
    """A database that cannot be used is named, with the reason."""
    monkeypatch.setenv("PGUSER", "me")
    with pytest.raises(StoreUnusable) as caught:
        await open_store("postgres", option)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("dsn", "message"),
    [
        ("host=127.0.0.1 port=1 user=me dbname=ear", "hear of changes in the database ear on 127.0.0.1:1 of --"),
        ("nonsense=1", "in --postgres-listen-dsn: this option has the parameter nonsense at character 1"),
    ],
)  # fmt: skip
async def test_bad_listen_dsn(option: str, dsn: str, message: str) -> None:
    """What is wrong with the address for notifications is not said of the database itself."""
    with pytest.raises(StoreUnusable) as caught:
        await open_store("postgres", option, StorageSettings(listen_dsn=dsn))
    assert message in str(caught.value)


@EMPTY
@pytest.mark.parametrize("pooler", [True, False])
async def test_too_few_connections(postgres: Postgres, option: str, *, pooler: bool) -> None:
    """A database that lets a server have some of its connections only is named at the start, with the reason."""
    postgres.sql(f"ALTER ROLE {USER} CONNECTION LIMIT 1")
    try:
        with pytest.raises(
            StoreUnusable, match=r"cannot use the database .* on 127\.0\.0\.1:.*too many connections for"
        ):
            await open_store("postgres", option, StorageSettings(pooler=pooler))
    finally:
        postgres.sql(f"ALTER ROLE {USER} CONNECTION LIMIT -1")
    gc.collect()  # a connection that was left open would be told of here


async def test_iam_without_region(monkeypatch: pytest.MonkeyPatch) -> None:
    """The start ends where IAM is asked for and no region is given."""
    monkeypatch.setenv("WFX_POSTGRES_IAM_AUTH", "true")
    monkeypatch.delenv("AWS_REGION", raising=False)
    with pytest.raises(StoreUnusable, match="needs the region of the database in WFX_POSTGRES_REGION or AWS_REGION"):
        await open_store("postgres", "host=127.0.0.1 port=1")


async def test_commits_that_may_be_lost(postgres: Postgres) -> None:
    """A database whose commits may be lost is used only if that is allowed."""
    with postgres.database() as name:
        postgres.sql(f"ALTER DATABASE {name} SET synchronous_commit = off")
        with pytest.raises(StoreUnusable, match="allow it by --postgres-may-lose-commits"):
            await open_store("postgres", postgres.conninfo(name))
        await (await open_store("postgres", postgres.conninfo(name), StorageSettings(may_lose_commits=True))).close()


def test_default_option(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a storage option the variables alone say where the database is; messages show no password."""
    monkeypatch.setenv("PGHOST", "db.example")
    monkeypatch.setenv("PGUSER", "me")
    kind = backend_kind("postgres")
    assert kind.describe(Config().storage_opt) == "in the database me on db.example:5432"
    assert (
        kind.describe(f"postgres://wfx:{PASSWORD.replace(' ', '%20')}@a,b/fleet")
        == "in the database fleet on a:5432, b:5432"
    )
    assert kind.describe("no such thing") == "in PostgreSQL"


def test_service(postgres: Postgres, tmp_path: Path) -> None:
    """The service runs on the database that its options name, with as many connections as they say."""
    with postgres.database() as name:
        words = ("--storage=postgres", f"--storage-opt={postgres.conninfo(name)}", "--postgres-search-connections=3")
        with LocalService(tmp_path, *words):
            assert 0 < int(postgres.sql(SESSIONS.format(name))[0]) <= 3 + 4
        assert not (tmp_path / "wfx.db").exists()
        assert postgres.sql("SELECT count(*) FROM workflow", name) == ["0"]


def test_without_driver() -> None:
    """Where the driver is missing it is said how to install it."""
    done = subprocess.run([sys.executable, "-c", _WITHOUT_DRIVER], capture_output=True, text=True, check=False)
    assert "StoreUnusable: PostgreSQL needs the package asyncpg: install wfx with its extra postgres" in done.stderr
