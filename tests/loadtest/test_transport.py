"""Load over TLS, with client certificates, and through unix sockets, on the real service behind relays."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.certificates import Certificates
from tests.relays import relay
from wfx.demo.local import LocalService

PROGRAM = [sys.executable, "-m", "wfx_loadtest.cli"]
SHORT = ("--duration=1s", "--read-freq=20", "--write-freq=20")
NOWHERE = ("--client-port=1", "--mgmt-port=1")


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """An authority, a server and a client."""
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module", params=["uvicorn", "hypercorn"])
def service(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalService]:
    """A service of each engine."""
    folder = tmp_path_factory.mktemp(f"service-{request.param}")
    with LocalService(folder, f"--http-engine={request.param}") as started:
        yield started


def run(folder: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a short load test in a folder."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("WFX_")}
    return subprocess.run(
        [*PROGRAM, *SHORT, *words], cwd=folder, env=clean | variables, text=True, capture_output=True, timeout=120,
        check=False,
    )  # fmt: skip


def succeeded(ran: subprocess.CompletedProcess[str]) -> bool:
    """Whether it sent something and all of it was answered well."""
    assert ran.returncode == 0, ran.stderr
    assert "Requests" in ran.stdout
    return "100.00%" in ran.stdout and "Error Set:\n\n" in ran.stdout


@pytest.mark.parametrize("scenario", ["default", "fleet", "events"])
def test_tls(service: LocalService, certificates: Certificates, tmp_path: Path, scenario: str) -> None:
    """With --enable-tls all connections, streams too, are encrypted, to a server whose authority is given."""
    with ExitStack() as stack:
        ports = {side: stack.enter_context(relay(service.ports[side], tls=certificates.server()))
                 for side in ("north", "south")}  # fmt: skip
        options = ["--enable-tls", f"--client-tls-port={ports['south']}", f"--mgmt-tls-port={ports['north']}", *NOWHERE]
        fleet = ("--devices=3", "--subscribers=2", "--poll-interval=100ms")
        assert succeeded(run(tmp_path, *options, *fleet, f"--scenario={scenario}", f"--tls-ca={certificates.ca}"))


def test_servers_that_are_not_trusted(service: LocalService, certificates: Certificates, tmp_path: Path) -> None:
    """Without its authority, or under another name, a server is sent nothing, and the reason is said."""
    with relay(service.ports["north"], tls=certificates.server()) as port:
        options = ("--enable-tls", f"--client-tls-port={port}", f"--mgmt-tls-port={port}")
        for more in ((), (f"--tls-ca={certificates.stranger}",), (f"--tls-ca={certificates.ca}",
                     "--mgmt-tls-host=127.0.0.1")):  # fmt: skip
            ran = run(tmp_path, *options, *more)
            assert (ran.returncode, ran.stdout) == (1, "")
            assert "certificate verify failed" in ran.stderr
        ran = run(tmp_path, *options, "--tls-ca=nowhere.pem")
        assert ran.returncode == 1
        assert "cannot read CA file nowhere.pem" in ran.stderr


def test_client_certificates(service: LocalService, certificates: Certificates, tmp_path: Path) -> None:
    """A service that wants client certificates gets the one that is given, also by variables; without one it fails."""
    with ExitStack() as stack:
        ports = {side: stack.enter_context(relay(service.ports[side], tls=certificates.server(mutual=True)))
                 for side in ("north", "south")}  # fmt: skip
        options = ["--enable-tls", f"--client-tls-port={ports['south']}", f"--mgmt-tls-port={ports['north']}"]
        variables = {
            "WFX_TLS_CA": str(certificates.ca),
            "WFX_TLS_CLIENT_CERTIFICATE": str(certificates.client),
            "WFX_TLS_CLIENT_KEY": str(certificates.client_key),
        }
        assert succeeded(run(tmp_path, *options, **variables))
        ran = run(tmp_path, *options, f"--tls-ca={certificates.ca}")
        assert (ran.returncode, ran.stdout) == (1, "")


def test_unix_sockets(service: LocalService, certificates: Certificates, tmp_path: Path) -> None:
    """Each side may be reached by a unix socket, the other one by TCP, and with TLS if that is wanted."""
    north, south, secured = (tmp_path / name for name in ("north", "south", "secured"))
    with relay(service.ports["north"], path=north), relay(service.ports["south"], path=south):
        sockets = (f"--mgmt-unix-socket={north}", f"--client-unix-socket={south}")
        assert succeeded(run(tmp_path, *sockets, *NOWHERE))
        assert succeeded(run(tmp_path, sockets[0], f"--client-port={service.ports['south']}", "--mgmt-port=1"))
        assert succeeded(run(tmp_path, *sockets, *NOWHERE, "--scenario=events", "--subscribers=2"))
        with (
            relay(service.ports["north"], path=secured, tls=certificates.server()),
            relay(service.ports["south"], tls=certificates.server()) as port,
        ):
            options = ("--enable-tls", f"--tls-ca={certificates.ca}", f"--client-tls-port={port}")
            assert succeeded(run(tmp_path, f"--mgmt-unix-socket={secured}", *options))
    ran = run(tmp_path, f"--mgmt-unix-socket={tmp_path}/nothing")
    assert ran.returncode == 1
    assert f"{tmp_path}/nothing: no such file or directory" in ran.stderr
