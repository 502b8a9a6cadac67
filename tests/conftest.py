"""Fixtures that many tests share: a real service for each engine, and clients that hold it to the OpenAPI document."""

from __future__ import annotations

import os
import sys
import uuid
from collections.abc import Callable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import yaml
from conformance import conforming_client
from httpx._transports import default
from hypothesis import HealthCheck, Phase, settings
from postgres_server import Postgres
from redis_server import RedisServer

from wfx import spec_files
from wfx.demo.local import LocalService
from wfx.store.sqlite.checking import check

if TYPE_CHECKING:
    from tests.store.ready_schemas import ReadySchemas

# Else each of the many processes that tests start would compile the whole code anew. Not while mutants are tried: these
# change files so often that a file's time may not tell one from the next.
if "MUTANT_OF_TREE" not in os.environ:
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False

# No deadline: a busy machine is not a wrong answer. In CI each run draws the same cases, elsewhere new ones.
settings.register_profile(
    "wfx", deadline=None, derandomize="CI" in os.environ, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("first", settings.get_profile("wfx"), phases=set(Phase) - {Phase.shrink, Phase.explain})
settings.load_profile("wfx")

# For each client that it makes httpx reads all certificates of authorities, which takes longer than most tests do.
default.create_ssl_context = cache(default.create_ssl_context)

BASE = "/api/wfx/v1"
ENGINES = ("uvicorn", "hypercorn")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Function]) -> None:
    """Give tests that share what their module has started to one process: every other would start that once more."""
    for item in items:
        fixtures = item._fixtureinfo.name2fixturedefs
        shared = [name for name in fixtures if fixtures[name][-1].scope == "module"]
        if shared:
            values = item.callspec.params if hasattr(item, "callspec") else {}
            which = [str(values[name]) for name in shared if name in values]
            item.add_marker(pytest.mark.xdist_group(" ".join([item.nodeid.partition("::")[0], *which])))


@pytest.fixture(scope="session", params=ENGINES)
def service(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalService]:
    """A running service with a file of its own, one for each engine; shared, so tests use names of their own.

    Whatever they did to it, its file must be sound in the end.
    """
    folder = tmp_path_factory.mktemp(f"service-{request.param}")
    with LocalService(folder, f"--http-engine={request.param}", "--max-body-size=1000000") as running:
        yield running
    assert check(folder / "wfx.db").findings == []


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A running PostgreSQL, one for each process of the tests; shared, so who stops it starts one of its own."""
    with Postgres() as running:
        yield running


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """A running Redis, one for each process of the tests; shared, so who stops it starts one of its own."""
    with RedisServer() as running:
        yield running


@pytest.fixture(scope="module")
def database(postgres: Postgres) -> Iterator[str]:
    """The name of an empty database, one for each file of tests."""
    with postgres.database() as name:
        yield name


@pytest.fixture(scope="module")
def ready_schemas(postgres: Postgres, database: str) -> Iterator[ReadySchemas]:
    """Schemas of that database that have the tables of a store."""
    from tests.store.ready_schemas import ReadySchemas  # needs the driver

    ready = ReadySchemas(postgres, database)
    yield ready
    ready.close()


@pytest.fixture
def north(service: LocalService) -> Iterator[httpx.Client]:
    """A client of the management side; each answer is held against the document."""
    with conforming_client(service.north + BASE) as client:
        yield client


@pytest.fixture
def south(service: LocalService) -> Iterator[httpx.Client]:
    """A client of the device side; each answer is held against the document."""
    with conforming_client(service.south + BASE) as client:
        yield client


@pytest.fixture
def unique() -> Callable[[str], str]:
    """Make names that no other test uses."""
    return lambda prefix: f"{prefix}-{uuid.uuid4().hex[:12]}"


@pytest.fixture(scope="session")
def workflow(service: LocalService) -> dict[str, Any]:
    """The bundled direct workflow, stored once; tests share it."""
    return _store_direct(service, "direct.shared")


@pytest.fixture
def own_workflow(service: LocalService, unique: Callable[[str], str]) -> dict[str, Any]:
    """The bundled direct workflow under a name that only one test knows."""
    return _store_direct(service, unique("direct"))


def _store_direct(service: LocalService, name: str) -> dict[str, Any]:
    text = spec_files.find("workflows/wfx.workflow.dau.direct.yml").read_bytes()
    document: dict[str, Any] = yaml.load(text, Loader=yaml.CSafeLoader)
    document["name"] = name
    httpx.post(f"{service.north}{BASE}/workflows", json=document, trust_env=False).raise_for_status()
    return document


@pytest.fixture
def job(service: LocalService, workflow: dict[str, Any], unique: Callable[[str], str]) -> dict[str, Any]:
    """A fresh job of the direct workflow for a device of its own."""
    request = {"clientId": unique("device"), "workflow": workflow["name"], "tags": ["b", "a"], "definition": {"n": 1}}
    answer = httpx.post(f"{service.north}{BASE}/jobs", json=request, trust_env=False)
    created: dict[str, Any] = answer.raise_for_status().json()
    return created
