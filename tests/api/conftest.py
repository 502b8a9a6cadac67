"""A client of the fleet API, and jobs to ask it for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from conformance import conforming_client

from tests.api.rollouts import Rollout
from wfx.api.problems import PREFIX
from wfx.demo.local import LocalService


@pytest.fixture
def fleet(service: LocalService) -> Iterator[httpx.Client]:
    """A client of the fleet API; each answer is held against its document."""
    with conforming_client(service.north + PREFIX) as client:
        yield client


@pytest.fixture
def rollout(
    north: httpx.Client, south: httpx.Client, own_workflow: dict[str, Any], unique: Callable[[str], str]
) -> Rollout:
    """Six jobs in different states with different tags."""
    return Rollout(north, south, own_workflow["name"], unique("rollout"))
