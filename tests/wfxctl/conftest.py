"""How the tests of wfxctl run it: in this process, against a server that records what it is asked."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from command_lines import Outcome, Run, runner
from wfxctl_stub import Stub

from wfxctl.main import PROGRAM


@pytest.fixture
def stub() -> Iterator[Stub]:
    """Stand in for both APIs, recording what is asked."""
    with Stub().listening() as server:
        yield server
    assert not server.errors


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command line in this process, in an empty directory."""
    monkeypatch.chdir(tmp_path)
    return runner(PROGRAM, tmp_path / "home")


@pytest.fixture
def south(run: Run, stub: Stub) -> Run:
    """Run against the stub as the client API; the management API is not there."""
    return lambda *argv, **more: run("--client-port", str(stub.port), "--mgmt-port", "1", *argv, **more)


@pytest.fixture
def north(run: Run, stub: Stub) -> Run:
    """Run against the stub as the management API; the client API is not there."""
    return lambda *argv, **more: run("--mgmt-port", str(stub.port), "--client-port", "1", *argv, **more)


class Terminal(io.BytesIO):
    """Output that says it is a terminal."""

    def isatty(self) -> bool:
        """Say so."""
        return True


@pytest.fixture
def screen(tmp_path: Path, stub: Stub, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run against the stub as both APIs, with terminals as standard output and standard error."""
    monkeypatch.chdir(tmp_path)
    environment = {"HOME": str(tmp_path / "home"), "NO_COLOR": "1"}

    def run(*argv: str, out: io.BytesIO | None = None) -> Outcome:
        out, err = out or Terminal(), Terminal()
        ports = [f"--client-port={stub.port}", f"--mgmt-port={stub.port}"]
        code = PROGRAM.run([*ports, *argv], io.BytesIO(), out, err, environment)
        return Outcome(code, out.getvalue().decode(), err.getvalue().decode())

    return run
