"""A store of each kind, empty or with a workflow."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.store.backends import BACKENDS, Backend, SetClock, placed
from tests.store.samples import FLOW
from wfx.domain.workflow import Workflow
from wfx.store.protocol import Store


@pytest.fixture
def clock() -> SetClock:
    """A clock that the test sets."""
    return SetClock()


@pytest.fixture(params=BACKENDS, ids=lambda backend: backend.name)
def backend(request: pytest.FixtureRequest) -> Backend:
    """Each kind of store in turn."""
    return placed(request.param, request)


@pytest.fixture(params=[each for each in BACKENDS if each.lasting], ids=lambda backend: backend.name)
def lasting(request: pytest.FixtureRequest) -> Backend:
    """Each kind of store that keeps what it has when it is closed."""
    return placed(request.param, request)


@pytest.fixture
async def store(backend: Backend, tmp_path: Path, clock: SetClock) -> AsyncIterator[Store]:
    """An empty store."""
    async with backend.open(tmp_path, clock) as opened:
        yield opened


@pytest.fixture(params=[each for each in BACKENDS if each.kind != "postgres"], ids=lambda backend: backend.name)
async def timed(request: pytest.FixtureRequest, tmp_path: Path, clock: SetClock) -> AsyncIterator[Store]:
    """An empty store of each kind whose leases go by the clock that the test sets; PostgreSQL has its own."""
    async with placed(request.param, request).open(tmp_path, clock) as opened:
        yield opened


@pytest.fixture
async def flow(store: Store) -> Workflow:
    """A workflow that the store has."""
    return await store.create_workflow(FLOW)
