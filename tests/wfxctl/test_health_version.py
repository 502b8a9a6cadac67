"""``health`` and ``version`` (cli section 9)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from wfxctl_stub import BASE, Reply, Stub

Run = Callable[..., Any]
NO_TLS = ("--client-tls-port", "1", "--mgmt-tls-port", "1")


def test_all_endpoints_are_listed_in_order(run: Run, stub: Stub) -> None:
    """The report names four endpoints with status and URL, divided by tabs, and always succeeds."""
    stub.usual = lambda _: Reply(body=b'{"status":"up"}')
    outcome = run("health", "--mgmt-port", str(stub.port), "--client-port", "2", *NO_TLS)
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out == (
        "Health report:\n\n"
        f"northbound\tup\t(http://localhost:{stub.port}{BASE})\n"
        f"southbound\tdown\t(http://localhost:2{BASE})\n"
        f"northbound_tls\tdown\t(https://localhost:1{BASE})\n"
        f"southbound_tls\tdown\t(https://localhost:1{BASE})\n"
    )
    assert (stub.one.method, stub.one.path) == ("GET", "/health")


@pytest.mark.parametrize(
    ("status", "body", "word"),
    [
        (200, '{"status":"up"}', "up"),
        (503, '{"status":"down"}', "down"),
        (503, '{"status":"unknown"}', "unknown"),
        (404, '{"status":"up"}', "down"),
        (200, "<html>", "down"),
        (200, "[]", "down"),
        (200, '{"status":1}', "down"),
        (200, '{"status":"\\u001b[31m"}', "down"),
    ],
)
def test_the_servers_own_word_counts(run: Run, stub: Stub, status: int, body: str, word: str) -> None:
    """The status is what the server says with 200 or 503, and down for anything else."""
    stub.usual = lambda _: Reply(status, body.encode())
    port = str(stub.port)
    outcome = run("health", "--mgmt-port", port, "--client-port", port, *NO_TLS, "--enable-tls", "--filter", ".x")
    assert outcome.code == 0
    assert [line.split("\t")[1] for line in outcome.out.splitlines()[2:4]] == [word, word]


def test_through_a_socket_both_plain_endpoints_are_up(run: Run, tmp_path: Path) -> None:
    """With a unix socket, it answers for both sides."""
    path = tmp_path / "wfx.sock"
    with Stub().on_socket(path) as stub:
        stub.usual = lambda _: Reply(body=b'{"status":"up"}')
        outcome = run("health", "--client-unix-socket", str(path))
    assert [line.split("\t")[1] for line in outcome.out.splitlines()[2:]] == ["up", "up", "down", "down"]


@pytest.mark.parametrize(
    ("argv", "env", "colored"),
    [
        ([], {}, False),
        (["--color", "always"], {}, True),
        (["--color", "always"], {"NO_COLOR": "1"}, True),
        (["--color", "never"], {"CLICOLOR_FORCE": "1"}, False),
        ([], {"CLICOLOR_FORCE": "1", "NO_COLOR": ""}, True),
        ([], {"CLICOLOR_FORCE": "0", "NO_COLOR": ""}, False),
        ([], {"CLICOLOR_FORCE": "1", "NO_COLOR": "1"}, False),
        ([], {"WFX_COLOR": "always"}, True),
    ],
)
def test_colours_are_off_unless_wanted(run: Run, argv: list[str], env: dict[str, str], colored: bool) -> None:
    """Only the status word is coloured, and only where the option or the usual variables say so."""
    outcome = run("health", "--mgmt-port", "1", "--client-port", "1", *NO_TLS, *argv, env=env)
    assert outcome.out.count("\x1b[31mdown\x1b[0m") == (4 if colored else 0)
    assert ("\x1b" in outcome.out) == colored


@pytest.mark.parametrize("status", [200, 500])
def test_version_is_aligned_to_the_right(south: Run, stub: Stub, status: int) -> None:
    """The server's version is printed in three lines, whatever the status code."""
    stub.will({"version": "0.6.0", "commit": "1a2b3c", "apiVersion": "v1"}, status)
    outcome = south("version", "--filter", ".x")
    assert (outcome.code, outcome.out) == (0, "\n   version: 0.6.0\n    commit: 1a2b3c\napiVersion: v1\n")
    assert (stub.one.method, stub.one.path) == ("GET", "/version")


def test_version_shows_no_control_characters(south: Run, stub: Stub) -> None:
    """What the server says of itself cannot steer the terminal."""
    stub.will({"version": "\x1b[2J", "apiVersion": "a\nb"})
    assert south("version").out == "\n   version: \\x1b[2J\n    commit: \napiVersion: a\\x0ab\n"


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"null"])
def test_version_needs_json(south: Run, stub: Stub, body: bytes) -> None:
    """An answer that is no JSON object is an error."""
    stub.usual = lambda _: Reply(body=body)
    outcome = south("version")
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err.startswith("Error: the answer is ")
