"""Services for tests of streams, each with a log of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.acceptance.streams.writing import store_workflow
from wfx.demo.local import LocalService

Start = Callable[..., LocalService]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a service with the options given and the bundled direct workflow in its store."""
    with ExitStack() as stack:

        def started(*options: str, **environment: str) -> LocalService:
            service = stack.enter_context(LocalService(tmp_path, *options, environment=environment))
            store_workflow(service)
            return service

        yield started


@pytest.fixture(params=["uvicorn", "hypercorn"])
def service(request: pytest.FixtureRequest, start: Start) -> LocalService:
    """A service for each engine, with an empty log."""
    return start(f"--http-engine={request.param}")
