"""How the tests of wfxctl run it: in this process, against a server that records what it is asked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from command_lines import Run, runner
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
