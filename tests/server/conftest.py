"""Services whose deadlines are short, and engines with any app."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server.recording import Recorded, write_recorder
from wfx.demo.local import LocalService

ENGINES = ("uvicorn", "hypercorn")


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    """Each engine in turn."""
    return str(request.param)


@pytest.fixture(scope="module", params=ENGINES)
def recorded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorded]:
    """A service of each engine, with a plugin on either side that remembers what it saw."""
    folder = tmp_path_factory.mktemp(f"recorded-{request.param}")
    north, south = (write_recorder(folder, folder / side) for side in ("north", "south"))
    plugins = (f"--mgmt-plugins-dir={north}", f"--client-plugins-dir={south}")
    with LocalService(folder, f"--http-engine={request.param}", "--log-level=debug", *plugins) as service:
        yield Recorded(service, folder)


@pytest.fixture(scope="module", params=ENGINES)
def hasty(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalService]:
    """A service of each engine that waits for nobody longer than a second."""
    folder: Path = tmp_path_factory.mktemp(f"hasty-{request.param}")
    options = ("--read-timeout=1s", "--write-timeout=1s", "--cleanup-timeout=1s", "--graceful-timeout=2s")
    with LocalService(folder, f"--http-engine={request.param}", *options) as service:
        yield service
