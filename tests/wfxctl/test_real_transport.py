"""wfxctl and the real service over TLS, client certificates and unix sockets, each engine behind relays."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.certificates import Certificates
from tests.relays import relay
from wfx import spec_files
from wfx.demo.local import LocalService

COMMAND = [sys.executable, "-m", "wfxctl"]


@pytest.fixture(scope="module", params=["uvicorn", "hypercorn"])
def service(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalService]:
    """A service of each engine."""
    folder = tmp_path_factory.mktemp(f"service-{request.param}")
    with LocalService(folder, f"--http-engine={request.param}") as started:
        yield started


def run(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command that knows nothing but these options and variables."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("WFX_")}
    return subprocess.run(
        [*COMMAND, *words], text=True, capture_output=True, timeout=120, check=False,
        env={**clean, "HOME": "/nonexistent", "NO_COLOR": "1", **variables}, stdin=subprocess.DEVNULL,
    )  # fmt: skip


def test_a_job_by_mutual_tls(service: LocalService, tmp_path: Path) -> None:
    """Operator and device work over TLS with a client certificate; without it, or with another authority, nothing."""
    certificates = Certificates(tmp_path)
    workflow = str(spec_files.find("workflows/wfx.workflow.dau.direct.yml"))
    tls = certificates.server(mutual=True)
    with relay(service.ports["north"], tls=tls) as north, relay(service.ports["south"], tls=tls) as south:
        variables = {
            "WFX_ENABLE_TLS": "true", "WFX_TLS_CA": str(certificates.ca), "WFX_MGMT_TLS_PORT": str(north),
            "WFX_CLIENT_TLS_PORT": str(south), "WFX_TLS_CLIENT_CERTIFICATE": str(certificates.client_both),
        }  # fmt: skip
        assert run("workflow", "create", workflow, **variables).returncode == 0
        words = ("job", "create", "--client-id=dev", "--workflow=wfx.workflow.dau.direct", "--filter=.id", "--raw")
        job = run(*words, **variables).stdout.strip()
        assert run("job", "get-status", f"--id={job}", "--filter=.state", "--raw", **variables).stdout == "INSTALL\n"
        anonymous = run("job", "get", f"--id={job}", **{**variables, "WFX_TLS_CLIENT_CERTIFICATE": ""})
        wrong = run("job", "get", f"--id={job}", **{**variables, "WFX_TLS_CA": str(certificates.stranger)})
    assert (anonymous.returncode, anonymous.stdout, wrong.returncode, wrong.stdout) == (1, "", 1, "")
    assert "CERTIFICATE_VERIFY_FAILED" in wrong.stderr


def test_unix_sockets(service: LocalService, tmp_path: Path) -> None:
    """A command goes through the socket that is named, to whichever side that is."""
    paths = {side: tmp_path / f"{side}.sock" for side in ("north", "south")}
    with relay(service.ports["north"], path=paths["north"]), relay(service.ports["south"], path=paths["south"]):
        assert run("job", "query", f"--client-unix-socket={paths['south']}", "--filter=.content|type").returncode == 0
        assert run("version", f"--client-unix-socket={paths['south']}").returncode == 0
        refused = run("job", "create", "--client-id=x", "--workflow=y", f"--client-unix-socket={paths['south']}")
        assert refused.returncode == 1
        health = run("health", f"--mgmt-unix-socket={paths['north']}", "--color=never").stdout
    assert health.count("\tup\t") == 2
