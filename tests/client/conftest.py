"""Both clients behind one face, and a service for them."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml

from wfx import spec_files
from wfx.client import AsyncClient, Client, Retries, Server, WorkflowNotUnique
from wfx.demo.local import LocalService

DIRECT = "wfx.workflow.dau.direct"
QUICK = Retries(attempts=4, initial=0.001, longest=2.0)
"""Pauses that no test notices."""


class Waiting:
    """The asynchronous client, waited for: so the tests of the other one are its tests too."""

    def __init__(self, server: Server | str, retries: Retries) -> None:
        self._loop = asyncio.new_event_loop()
        self._opened: list[Any] = []
        self._client = self._loop.run_until_complete(self._made(server, retries))

    async def _made(self, server: Server | str, retries: Retries) -> AsyncClient:
        return await AsyncClient(server, retries).__aenter__()

    def close(self) -> None:
        """Close it, what was left in the middle, and its loop; once more does no harm."""
        if self._loop.is_closed():
            return
        for items in self._opened:
            items.close()
        self._loop.run_until_complete(self._client.__aexit__(None, None, None))
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """Wait for what a method returns."""
        method = getattr(self._client, name)

        def waited(*arguments: Any, **named: Any) -> Any:
            outcome = method(*arguments, **named)
            if not isinstance(outcome, AsyncIterator):
                return self._wait(outcome)
            self._opened.append(self._items(outcome))
            return self._opened[-1]

        return waited

    def _wait(self, outcome: Any) -> Any:
        return self._loop.run_until_complete(outcome)

    def _items(self, items: Any) -> Iterator[Any]:
        try:
            while True:
                try:
                    yield self._wait(anext(items))
                except StopAsyncIteration:
                    return
        finally:
            self._wait(items.aclose())


Connect = Callable[..., Any]


@pytest.fixture(params=["blocking", "asynchronous"])
def connect(request: pytest.FixtureRequest) -> Iterator[Connect]:
    """Make clients of each kind in turn; they are closed after the test."""
    made: list[Client | Waiting] = []

    def maker(server: Server | str, retries: Retries = QUICK) -> Any:
        made.append((Client if request.param == "blocking" else Waiting)(server, retries))
        return made[-1]

    yield maker
    for client in made:
        client.close()


def document(name: str) -> dict[str, Any]:
    """Read a bundled workflow."""
    found: dict[str, Any] = yaml.safe_load(spec_files.find(f"workflows/{name}.yml").read_bytes())
    return found


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalService]:
    """A service with the bundled direct workflow."""
    with LocalService(tmp_path_factory.mktemp("client")) as started:
        with Client(started.north) as operator, suppress(WorkflowNotUnique):
            operator.create_workflow(document(DIRECT))
        yield started


@pytest.fixture
def north(connect: Connect, service: LocalService) -> Any:
    """A client for operators."""
    return connect(service.north)


@pytest.fixture
def south(connect: Connect, service: LocalService) -> Any:
    """A client for devices."""
    return connect(service.south)


@pytest.fixture
def dev() -> str:
    """A device of the test's own."""
    return f"dev-{uuid.uuid4()}"


@pytest.fixture
def other_service(tmp_path: Path) -> Iterator[LocalService]:
    """A service of a test's own, which may be stopped and started again."""
    with LocalService(tmp_path) as started:
        with Client(started.north) as operator:
            operator.create_workflow(document(DIRECT))
        yield started
