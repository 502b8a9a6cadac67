"""Chains of scripts that ask for themselves, in a running service on each kind of storage."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.reactions.ruled_service import STORAGES, rules_with, storage_options
from tests.waiting import eventually
from wfx.demo.local import LocalService
from wfx.reactions.effects import MOST_IN_CHAIN

RULES = """version: v1
scenarios:
  - id: begin
    event_types: [begin]
    children:
      - action: {id: first, type: run_script, params: {script: again}}
"""
MANY = 100
"""Actions that the script asks for, as many as it may."""
AGAIN = "function main() { return {actions: Array.from({length: %d}, () => (" + json.dumps(
    {"type": "run_script", "params": {"script": "again"}}
) + "))} }"  # fmt: skip


@contextmanager
def serving(request: pytest.FixtureRequest, folder: Path, *more: str) -> Iterator[LocalService]:
    """Start a service with the rule."""
    options = storage_options(request.param, folder, request.getfixturevalue)
    with LocalService(folder, *options, f"--rules={rules_with(folder, RULES)}", "--enable-scripts", *more) as service:
        yield service


@pytest.fixture(params=STORAGES)
def limited(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LocalService]:
    """A service in which an action is taken twice at most in a chain."""
    with serving(request, tmp_path, "--sandbox-max-allowed-repetitions=2") as service:
        yield service


@pytest.fixture(params=STORAGES)
def unlimited(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LocalService]:
    """A service in which the number of all actions in a chain is limited alone."""
    with serving(request, tmp_path) as service:
        yield service


def call(service: LocalService, method: str, path: str, **more: object) -> httpx.Response:
    """Send a request to the operators' side."""
    url = f"{service.north}{path}"
    return httpx.request(method, url, timeout=60, trust_env=False, **more).raise_for_status()  # type: ignore[arg-type]


def run(service: LocalService, length: int) -> None:
    """Have a script run that asks so many times for itself, and wait until nothing is left to do."""
    call(service, "PUT", "/v1/scripts/again", content=AGAIN % length)
    call(service, "POST", "/v1/events", json={"type": "begin", "payload": {}})
    eventually(lambda: figure(service, "wfx_tasks_done_total") > 0, "the first run has ended")
    eventually(lambda: not open_tasks(service), "all runs have ended")


def open_tasks(service: LocalService) -> Sequence[object]:
    """Return some of the tasks that have not ended."""
    found: list[object] = []
    for state in ("WAITING", "RUNNING"):
        found += call(service, "GET", "/v1/tasks", params={"state": state, "limit": 1}).json()["content"]
    return found


def figure(service: LocalService, name: str) -> float:
    """Add up a metric."""
    lines = call(service, "GET", "/metrics").text.splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith((f"{name} ", f"{name}{{")))


def warnings(service: LocalService) -> int:
    """Count what the log says of chains that came to a limit."""
    return sum("in one chain of events, which is the limit" in line for line in service.lines)


def test_all_actions_of_a_chain(unlimited: LocalService) -> None:
    """However many runs end at once, a chain has as many actions as it may; others are counted, and told of once."""
    run(unlimited, MANY)
    runs = 1 + MANY + MOST_IN_CHAIN
    assert figure(unlimited, "wfx_tasks_done_total") == runs
    assert figure(unlimited, "wfx_repetition_limit_total") == MANY * runs - MANY - MOST_IN_CHAIN
    assert warnings(unlimited) == 1


def test_each_action_of_a_chain(limited: LocalService) -> None:
    """What a script asks for is limited by its place in the list, though the names of actions grow with the chain."""
    run(limited, 3)
    runs = 1 + 2 * 3
    assert figure(limited, "wfx_tasks_done_total") == runs
    assert figure(limited, "wfx_repetition_limit_total") == 3 * runs - 2 * 3
    assert warnings(limited) == 1
