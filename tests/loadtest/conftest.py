"""Fixtures for tests of the load generator: a small stub on real sockets, and the real service."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from tests.loadtest.stub import Handler, Stub
from wfx.demo.local import LocalService


@pytest.fixture
async def stub() -> AsyncIterator[Stub]:
    """Serve both sides of a stub on free ports."""
    service = Stub()
    loop = asyncio.get_running_loop()
    servers = [
        await loop.create_server(lambda: Handler(service, "north"), "127.0.0.1", 0),
        await loop.create_server(lambda: Handler(service, "south"), "127.0.0.1", 0),
    ]
    service.north_port, service.south_port = (server.sockets[0].getsockname()[1] for server in servers)
    yield service
    for server in servers:
        server.close()
        await server.wait_closed()


@pytest.fixture(scope="session")
def wfx_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalService]:
    """Run the real service with a file of its own; shared, so tests use names of their own."""
    with LocalService(tmp_path_factory.mktemp("loadtest-service")) as running:
        yield running
