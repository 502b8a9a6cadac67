"""Mutual TLS: a server that wants to know who its clients are (cli section 4)."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from wfxctl_stub import Reply, Stub

from tests.certificates import Certificates

Run = Callable[..., Any]
WORDS = ("job", "get", "--id", "7")


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """An authority, a server and a client."""
    return Certificates(tmp_path_factory.mktemp("certificates"))


def trusting(certificates: Certificates, port: int) -> list[str]:
    """The options that lead to a server and trust it."""
    return ["--enable-tls", f"--tls-ca={certificates.ca}", f"--client-tls-port={port}", f"--mgmt-tls-port={port}"]


def test_a_client_certificate_opens_the_server(run: Run, certificates: Certificates) -> None:
    """With a certificate, its key beside it or in the same file, both APIs are reached; so by variables."""
    with Stub().listening(tls=certificates.server(mutual=True)) as stub:
        options = trusting(certificates, stub.port)
        pair = [f"--tls-client-certificate={certificates.client}", f"--tls-client-key={certificates.client_key}"]
        assert run(*options, *pair, *WORDS).code == 0
        assert (
            run(*options, f"--tls-client-certificate={certificates.client_both}", "job", "delete", "--id=7").code == 0
        )
        variables = {"WFX_TLS_CLIENT_CERTIFICATE": str(certificates.client_both)}
        assert run(*options, *WORDS, env=variables).code == 0
    assert [seen.method for seen in stub.seen] == ["GET", "DELETE", "GET"]


def test_without_a_fitting_certificate_nothing_is_sent(run: Run, certificates: Certificates) -> None:
    """A client without a certificate, or with one of another authority, is told why it is refused."""
    stranger = [f"--tls-client-certificate={certificates.stranger}", f"--tls-client-key={certificates.stranger_key}"]
    with Stub().listening(tls=certificates.server(mutual=True)) as stub:
        for pair in ([], stranger):
            outcome = run(*trusting(certificates, stub.port), *pair, *WORDS)
            assert (outcome.code, outcome.out) == (1, "")
            assert outcome.err.startswith(f'Error: GET "https://localhost:{stub.port}/')
    assert stub.seen == []


def test_a_certificate_is_shown_through_a_unix_socket_too(run: Run, certificates: Certificates, tmp_path: Path) -> None:
    """Over a socket with TLS the same certificates count."""
    path = tmp_path / "wfx.sock"
    options = ["--enable-tls", f"--tls-ca={certificates.ca}", f"--tls-client-certificate={certificates.client_both}"]
    with Stub().on_socket(path, certificates.server(mutual=True)) as stub:
        assert run(*options, f"--mgmt-unix-socket={path}", *WORDS).code == 0
    assert len(stub.seen) == 1


def test_events_and_health_show_the_certificate(run: Run, certificates: Certificates) -> None:
    """All commands that connect use it."""
    with Stub().listening(tls=certificates.server(mutual=True)) as stub:
        stub.usual = lambda _: Reply(body=b'{"status": "up"}')
        pair = [f"--tls-client-certificate={certificates.client_both}", "--client-port=1", "--mgmt-port=1"]
        outcome = run(*trusting(certificates, stub.port), *pair, "health")
    assert [line.split("\t")[1] for line in outcome.out.splitlines() if "\t" in line] == ["down", "down", "up", "up"]


@pytest.mark.parametrize("words", [WORDS, ("health",), ("version",)])
def test_files_that_cannot_be_used(run: Run, certificates: Certificates, words: tuple[str, ...]) -> None:
    """Files that are missing, no certificates, or do not belong together end the command, before it connects."""
    Path("nonsense.pem").write_text("nothing here\n")
    for pair, reason in (
        (("nowhere.pem", ""), "cannot read client certificate nowhere.pem: No such file or directory"),
        (("nonsense.pem", ""), "cannot use client certificate nonsense.pem: "),
        ((str(certificates.client), ""), f"cannot use client certificate {certificates.client}: "),
        ((str(certificates.client), str(certificates.stranger_key)), "KEY_VALUES_MISMATCH"),
    ):
        outcome = run(f"--tls-client-certificate={pair[0]}", f"--tls-client-key={pair[1]}", *words)
        assert (outcome.code, outcome.out) == (1, "")
        assert reason in outcome.err
    outcome = run("--tls-client-key=x.key", *words)
    assert outcome.err == "Error: --tls-client-key needs --tls-client-certificate\n"


def test_an_encrypted_key_asks_nobody(certificates: Certificates) -> None:
    """A key that needs a password is refused; also on a terminal nobody is asked for one."""
    key = certificates.encrypt_key()
    master, terminal = pty.openpty()
    try:
        outcome = subprocess.run(
            [sys.executable, "-m", "wfxctl", f"--tls-client-certificate={certificates.client}",
             f"--tls-client-key={key}", *WORDS],
            stdin=terminal, capture_output=True, text=True, timeout=60, check=False, start_new_session=True,
            env={**os.environ, "NO_COLOR": "1"},
        )  # fmt: skip
    finally:
        os.close(master)
        os.close(terminal)
    assert outcome.returncode == 1
    assert f"cannot use client key {key}: it is encrypted" in outcome.stderr
