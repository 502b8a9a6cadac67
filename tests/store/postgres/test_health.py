"""What is told of a PostgreSQL that answers, and in which nothing can be written, or tables or rights are missing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from postgres_server import Postgres
from waiting import eventually

from tests.acceptance.streams.writing import WORKFLOW, create_job, operator, store_workflow
from wfx.demo.local import LocalService


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    """A PostgreSQL whose settings the tests may change."""
    with Postgres() as running:
        yield running


@pytest.fixture
def base(server: Postgres) -> Iterator[str]:
    """The name of a database."""
    with server.database() as name:
        yield name


@pytest.fixture
def service(server: Postgres, base: str, tmp_path: Path) -> Iterator[LocalService]:
    """A service on the database, with the workflow."""
    with LocalService(tmp_path, "--storage=postgres", f"--storage-opt={server.conninfo(base)}") as running:
        store_workflow(running)
        yield running


def probes(service: LocalService) -> tuple[str, int]:
    """What /health and /readyz say."""
    health = httpx.get(f"{service.north}/health", timeout=30).json()["status"]
    return health, httpx.get(f"{service.north}/readyz", timeout=30).status_code


def records(service: LocalService, text: str) -> int:
    """Wait until a record of the log has the text; return how many have it."""
    eventually(lambda: any(text in line for line in service.lines), f"the log says: {text}")
    return sum(text in line for line in service.lines)


def refused_change(service: LocalService) -> str:
    """Check that a change is refused as it must be while PostgreSQL cannot be used; returns the message."""
    with operator(service) as client:
        answer = client.post("/jobs", json={"clientId": "c", "workflow": WORKFLOW})
    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["code"]) == (503, "wfx.storeUnavailable")
    assert int(answer.headers["retry-after"]) > 0
    assert "\n" not in error["message"]
    return str(error["message"])


def test_read_only(server: Postgres, service: LocalService) -> None:
    """While PostgreSQL runs and can only be read probes and one log record tell, and single jobs are still shown."""
    job = create_job(service, "device")
    server.sql("ALTER SYSTEM SET default_transaction_read_only = on; SELECT pg_reload_conf()")
    try:
        eventually(lambda: probes(service) == ("down", 503), "probes tell")
        refused_change(service)
        with operator(service) as client:
            assert client.get(f"/jobs/{job}").status_code == 200
        assert probes(service) == ("down", 503)
        assert records(service, "store is down: the server cannot write now") == 1
    finally:
        server.sql(
            "SET default_transaction_read_only = off; ALTER SYSTEM RESET default_transaction_read_only; "
            "SELECT pg_reload_conf()"
        )
    eventually(lambda: probes(service) == ("up", 200), "the service is ready again")
    assert create_job(service, "device")
