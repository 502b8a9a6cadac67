"""What all programs share is tested with wfxctl, which has most of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from command_lines import Run, runner
from wfxctl_stub import Stub

from wfxctl.main import PROGRAM


@pytest.fixture
def stub() -> Iterator[Stub]:
    """Stand in for a service, recording what is asked."""
    with Stub().listening() as server:
        yield server
    assert not server.errors


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command line of wfxctl in this process, in an empty directory."""
    monkeypatch.chdir(tmp_path)
    return runner(PROGRAM, tmp_path / "home")
