"""What is told of a PostgreSQL that answers, and in which nothing can be written, or tables or rights are missing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from postgres_server import USER, Postgres
from waiting import eventually

from tests.acceptance.streams.writing import WORKFLOW, create_job, operator, store_workflow
from wfx.demo.local import LocalService


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    """A PostgreSQL whose settings the tests may change."""
    with Postgres() as running:
        yield running


@pytest.fixture(scope="module")
def base(server: Postgres) -> Iterator[str]:
    """The name of the database of the service that tests share."""
    with server.database() as name:
        yield name


@contextmanager
def serving(server: Postgres, base: str, folder: Path) -> Iterator[LocalService]:
    """Run a service on the database, with the workflow."""
    with LocalService(folder, "--storage=postgres", f"--storage-opt={server.conninfo(base)}") as running:
        store_workflow(running)
        yield running


@pytest.fixture(scope="module")
def shared_service(server: Postgres, base: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalService]:
    """A service that several tests share; each leaves it as it was."""
    with serving(server, base, tmp_path_factory.mktemp("service")) as running:
        yield running


@pytest.fixture
def service(shared_service: LocalService) -> LocalService:
    """That service, which is up and has logged nothing of the test."""
    eventually(lambda: probes(shared_service) == ("up", 200), "the service is ready")
    shared_service.lines.clear()
    return shared_service


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


@pytest.mark.parametrize(
    ("harm", "repair"),
    [
        ("REVOKE INSERT ON event FROM wfx", "GRANT INSERT ON event TO wfx"),
        ("REVOKE SELECT ON job FROM wfx", "GRANT SELECT ON job TO wfx"),
        ("ALTER TABLE current_workflow RENAME TO elsewhere", "ALTER TABLE elsewhere RENAME TO current_workflow"),
    ],
)
def test_tables_and_rights(server: Postgres, base: str, service: LocalService, harm: str, repair: str) -> None:
    """While a table or a right is missing requests get 503, probes and one log record tell; then all is as before."""
    server.sql(harm, base)
    for _ in range(3):
        assert "SQLSTATE 42" in refused_change(service)
    eventually(lambda: probes(service) == ("down", 503), "probes tell")
    assert records(service, "store is down: ") == 1
    assert records(service, "(SQLSTATE 42") == 1
    server.sql(repair, base)
    eventually(lambda: probes(service) == ("up", 200), "the service is ready again")
    assert create_job(service, "device")
    assert not any("Traceback" in line for line in service.lines)


def test_another_database(server: Postgres, tmp_path: Path) -> None:
    """A database that is made anew under a server that runs: requests get 503, and probes tell."""
    with server.database() as base, serving(server, base, tmp_path) as service:
        server.sql(f"DROP DATABASE {base} WITH (FORCE)")
        eventually(lambda: "does not exist" in refused_change(service), "the database is gone")
        server.sql(f"CREATE DATABASE {base} OWNER wfx TEMPLATE template0")
        eventually(lambda: "SQLSTATE 42P01" in refused_change(service), "the new one is empty")
        eventually(lambda: probes(service) == ("down", 503), "probes tell")
        with operator(service) as client:
            assert client.get("/jobs").status_code == 503
        assert not any("Traceback" in line for line in service.lines)


def test_too_few_connections(server: Postgres, tmp_path: Path) -> None:
    """While PostgreSQL lets the server have no more connections and lists get 503, probes and one log record tell."""
    with server.database() as base, serving(server, base, tmp_path) as service:
        server.sql(f"ALTER ROLE {USER} CONNECTION LIMIT 3")
        try:
            with operator(service) as client:
                for _ in range(3):
                    assert client.get("/jobs?sort=asc").status_code == 503
            eventually(lambda: probes(service) == ("down", 503), "probes tell")
            assert records(service, "store is down: no connection to PostgreSQL: ") == 1
            told = [line for line in service.lines if "too many connections for role" in line]
            assert [line for line in told if "store is down" not in line] == told[:1]
        finally:
            server.sql(f"ALTER ROLE {USER} CONNECTION LIMIT -1")
        eventually(lambda: probes(service) == ("up", 200), "the service is ready again")
        with operator(service) as client:
            assert client.get("/jobs?sort=asc").status_code == 200


_FILL = """
CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql
    AS $$ BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$;
CREATE TRIGGER no_room BEFORE INSERT ON event EXECUTE FUNCTION no_room()
"""


def test_no_room(server: Postgres, base: str, service: LocalService) -> None:
    """While PostgreSQL has no room changes get 507 with Retry-After, one log record tells, and the service is up."""
    server.sql(_FILL, base)
    with operator(service) as client:
        for _ in range(3):
            answer = client.post("/jobs", json={"clientId": "c", "workflow": WORKFLOW})
            assert (answer.status_code, answer.json()["errors"][0]["code"]) == (507, "wfx.storeFull")
            assert int(answer.headers["retry-after"]) > 0
    assert records(service, "changes are refused: the database is full") == 1
    assert probes(service) == ("up", 200)
    server.sql("DROP FUNCTION no_room CASCADE", base)
    assert create_job(service, "device")
