"""Schemathesis, made from the served document, finds no failure and no answer that is not as documented."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance.fuzzing import fuzz
from tests.store.sqlite.audit import assert_sound
from wfx import spec_files
from wfx.api import spec
from wfx.demo.local import LocalService

CASES = 10
"""For each operation and phase; how many there are in all also depends on the document."""


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("side", "engine"), [("north", "uvicorn"), ("south", "hypercorn")])
def test_nothing_unexpected(tmp_path: Path, side: str, engine: str) -> None:
    """Row 34: no request made from the document or against it gets a 5xx, or an answer that it does not describe.

    Each side is fuzzed on one engine: what differs between engines is below the application. Each run draws the same
    cases; ``make fuzz`` draws new ones.
    """
    with LocalService(tmp_path, f"--http-engine={engine}") as service:
        address = service.north if side == "north" else service.south
        fuzz(service, address, "run", f"--max-examples={CASES}", "--generation-deterministic", timeout=500)
    assert_sound(tmp_path / "wfx.db")


@pytest.mark.timeout(600)
def test_nothing_unexpected_of_the_fleet_api(tmp_path: Path) -> None:
    """No request made from the fleet document or against it gets a 5xx, or an answer that it does not describe."""
    with LocalService(tmp_path, "--http-engine=hypercorn") as service:
        options = (f"--max-examples={CASES}", "--generation-deterministic")
        fuzz(service, service.north, "run", *options, timeout=500, name=spec.FLEET)
    assert_sound(tmp_path / "wfx.db")


@pytest.mark.timeout(600)
def test_nothing_unexpected_of_the_api_of_rules(tmp_path: Path) -> None:
    """No request made from the document of rules or against it gets a 5xx, or an answer that it does not describe."""
    rules = spec_files.find("rules/high-value-food.yml")
    with LocalService(tmp_path, f"--rules={rules}") as service:
        options = (f"--max-examples={CASES}", "--generation-deterministic")
        fuzz(service, service.north, "run", *options, timeout=500, name=spec.RULES)
    assert_sound(tmp_path / "wfx.db")
