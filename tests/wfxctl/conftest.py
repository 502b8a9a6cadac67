"""How the tests of wfxctl run it: in this process, against a server that records what it is asked."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from wfxctl_stub import Stub

from wfxctl import main


@dataclass(frozen=True)
class Outcome:
    """What a run left behind."""

    code: int
    out: str
    err: str


Run = Callable[..., Outcome]


@pytest.fixture
def stub() -> Iterator[Stub]:
    """Stand in for both APIs, recording what is asked."""
    with Stub().listening() as server:
        yield server
    assert not server.errors


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command line in this process, in an empty directory, with no other environment than the one given."""
    monkeypatch.chdir(tmp_path)

    def run_it(*argv: str, stdin: bytes = b"", env: Mapping[str, str] | None = None) -> Outcome:
        out, err = io.BytesIO(), io.BytesIO()
        environment = {"HOME": str(tmp_path / "home"), "NO_COLOR": "1"} | dict(env or {})
        code = main.run(argv, io.BytesIO(stdin), out, err, environment)
        return Outcome(code, out.getvalue().decode(), err.getvalue().decode())

    return run_it


@pytest.fixture
def south(run: Run, stub: Stub) -> Run:
    """Run against the stub as the client API; the management API is not there."""
    return lambda *argv, **more: run("--client-port", str(stub.port), "--mgmt-port", "1", *argv, **more)


@pytest.fixture
def north(run: Run, stub: Stub) -> Run:
    """Run against the stub as the management API; the client API is not there."""
    return lambda *argv, **more: run("--mgmt-port", str(stub.port), "--client-port", "1", *argv, **more)
