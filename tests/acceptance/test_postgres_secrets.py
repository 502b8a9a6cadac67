"""Passwords of PostgreSQL reach nobody who has no need of them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest
from command_lines import runner
from postgres_server import USER, Postgres

from wfx.cli import PROGRAM
from wfx.demo.local import LocalService

CANARY = "canary's b/r@nch"
ENCODED = "canary%27s%20b%2Fr%40nch"
PART = "canary"


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    """A server that logs all statements, whose user has a telling password."""
    with Postgres() as running:
        running.sql(f"ALTER ROLE {USER} PASSWORD '{CANARY.replace(chr(39), chr(39) * 2)}'")
        running.restart(settings=("log_statement=all", "log_connections=on"))
        yield running


def run(folder: Path, *words: str, variables: dict[str, str] | None = None) -> str:
    """Run a program of ours; returns all that it prints."""
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(folder), **(variables or {})}
    command = [sys.executable, "-m", "wfx", *words]
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize("source", ["pairs", "uri", "variables", "file"])
def test_running(server: Postgres, tmp_path: Path, source: str) -> None:
    """A running service shows the password in no log line, page, metric, configuration or title of a process."""
    with server.database() as name:
        pairs = server.conninfo(name, password=CANARY)
        uri = f"postgres://{USER}:{ENCODED}@127.0.0.1:{server.port}/{name}"
        variables = {
            "PGHOST": "127.0.0.1", "PGPORT": str(server.port), "PGUSER": USER, "PGDATABASE": name, "PGPASSWORD": CANARY
        }  # fmt: skip
        words, given = ["--storage=postgres", "--log-level=debug", "--debug-enabled", "--debug-auth-token=token"], {}
        match source:
            case "pairs":
                given = {"WFX_STORAGE_OPT": pairs}
            case "uri":
                given = {"WFX_STORAGE_OPT": uri}
            case "variables":
                given = variables
            case "file":
                (tmp_path / "settings.yml").write_text(f'storage-opt: "{uri}"\n')
                (tmp_path / "settings.yml").chmod(0o600)
                words.append("--config=settings.yml")
        with LocalService(tmp_path, *words, environment=given) as service:
            shown = [
                httpx.get(service.north + path, headers={"Authorization": "Bearer token"}, trust_env=False).text
                for path in ("/debug/config", "/debug/info", "/metrics", "/health", "/readyz")
            ]
            assert service.process is not None
            processes = [
                *psutil.Process(service.process.pid).children(recursive=True),
                psutil.Process(service.process.pid),
            ]
            shown += [" ".join(each.cmdline()) for each in processes]
            shown += server.sql("SELECT query || application_name FROM pg_stat_activity")
            server.sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
            shown.append(httpx.get(service.north + "/health", trust_env=False).text)
        shown += service.lines
        shown.append(run(tmp_path, "config", *words, variables=given))
    assert server.port
    assert [text for text in shown if PART in text] == []
    assert PART not in server.log().partition("ALTER ROLE")[2].partition("\n")[2]


@pytest.mark.parametrize(
    "option",
    [
        f"host=127.0.0.1 port=1 password={PART}",
        f"password=my {PART} host=db",
        rf"host=127.0.0.1 port=1 password='a\'{PART}'",
        f"postgres://me:{PART}@127.0.0.1:1/x",
        f"postgres://me:a/{PART}@127.0.0.1:1/x",
        f"postgres://me:{PART}",
    ],
)
def test_not_starting(tmp_path: Path, option: str) -> None:
    """Neither a start that fails nor the list of the configuration shows the password, also where it is mistyped."""
    words = ("--storage=postgres", f"--storage-opt={option}", f"--postgres-listen-dsn={option}")
    failed = run(tmp_path, *words, "--log-level=debug", "--client-port=0", "--mgmt-port=0")
    assert "PostgreSQL" in failed or "the storage option" in failed
    assert "Traceback" not in failed
    assert PART not in failed
    listed = runner(PROGRAM, tmp_path)("config", *words)
    assert "***" in listed.out
    assert PART not in listed.out + listed.err
