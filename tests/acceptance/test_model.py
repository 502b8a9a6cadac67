"""Random lives of jobs, driven from both sides, agree with the contract's model in every answer."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from conformance import conforming_client
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.acceptance.life import BASE, Life
from wfx.demo.local import LocalService

LIVES = {"uvicorn": 20, "hypercorn": 6}


@pytest.fixture(params=sorted(LIVES))
def engine(request: pytest.FixtureRequest) -> str:
    """Each engine in turn."""
    return str(request.param)


@pytest.fixture
def clients(engine: str, tmp_path: Path) -> Iterator[dict[str, httpx.Client]]:
    """Clients of both sides of a service of their own; each answer is also held against the OpenAPI document."""
    with (
        LocalService(tmp_path, f"--http-engine={engine}") as service,
        conforming_client(service.north + BASE, timeout=60, trust_env=False) as north,
        conforming_client(service.south + BASE, timeout=60, trust_env=False) as south,
    ):
        yield {"north": north, "south": south}


@pytest.mark.timeout(600)
def test_lives(engine: str, clients: dict[str, httpx.Client]) -> None:
    """Whatever is done to jobs and workflows from both sides, every answer and the log are as the contract says."""

    class LifeHere(Life):
        def __init__(self) -> None:
            super().__init__(clients)

    run_state_machine_as_test(
        LifeHere,
        settings=settings(
            max_examples=LIVES[engine],
            stateful_step_count=40,
            deadline=None,
            derandomize="CI" in os.environ,
            suppress_health_check=list(HealthCheck),
            phases=(Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink),
        ),
    )
