"""Limits as properties of another program give them, in configuration files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from command_lines import Run, runner

from wfx.cli import PROGRAM

STARTS = "sandbox-rate-limit-instance-start"
WAYS = {
    "sections": """
        sandbox:
          rate-limit:
            instance-start:
              - {capacity: 20, duration: PT1M}
              - {capacity: 200, duration: PT1H, scope: client}
        """,
    "the program in front": """
        flowable:
          sandbox:
            rate-limit:
              instance-start: [20/PT1M, {capacity: 200, duration: PT1H, scope: client}]
        """,
    "properties": """
        sandbox.rate-limit.instance-start[0].capacity: 20
        sandbox.rate-limit.instance-start[0].duration: PT1M
        sandbox.rate-limit.instance-start[1].scope: client
        sandbox.rate-limit.instance-start[1].capacity: 200
        sandbox.rate-limit.instance-start[1].duration: PT1H
        """,
    "all in front": """
        flowable.sandbox.rate-limit.instance-start[1].capacity: 200
        flowable.sandbox.rate-limit.instance-start[1].duration: PT1H
        flowable.sandbox.rate-limit.instance-start[1].scope: client
        flowable.sandbox.rate-limit.instance-start[0].duration: PT1M
        flowable.sandbox.rate-limit.instance-start[0].capacity: 20
        """,
    "items": "sandbox-rate-limit-instance-start: [20/PT1M, client=200/PT1H]",
}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command line of wfx in this process, in an empty directory."""
    monkeypatch.chdir(tmp_path)
    return runner(PROGRAM, tmp_path / "home")


def options(run: Run, content: str, suffix: str = "yml") -> Any:
    """What a file says."""
    Path(f"w.{suffix}").write_text(content)
    outcome = run("config", "--output=json", f"--config=w.{suffix}")
    assert "unknown option" not in outcome.err
    return json.loads(outcome.out)["options"]


@pytest.mark.parametrize("way", WAYS)
def test_ways_to_write_limits(run: Run, way: str) -> None:
    """Limits may be items, mappings in sections, or properties, with and without the other program's name in front."""
    assert options(run, WAYS[way])[STARTS]["value"] == ["20/PT1M", "client=200/PT1H"]


def test_toml(run: Run) -> None:
    """In TOML each limit may be a table of its own."""
    table = '[[sandbox.rate-limit.instance-start]]\ncapacity = {}\nduration = "{}"\n'
    content = table.format(20, "PT1M") + table.format(200, "PT1H")
    assert options(run, content, "toml")[STARTS]["value"] == ["20/PT1M", "200/PT1H"]


def test_single_properties(run: Run) -> None:
    """Other properties are options with dashes in place of dots; each is found with its line."""
    content = "flowable.sandbox.max-allowed-repetitions: 7\nsandbox.max-command-duration: 30s\n"
    found = options(run, content)
    assert found["sandbox-max-allowed-repetitions"]["value"] == 7
    assert found["sandbox-max-command-duration"]["value"] == 30
    assert found["sandbox-max-command-duration"]["setBy"]["line"] == 2


@pytest.mark.parametrize(("text", "seconds"), [("PT2S", 2), ("PT1M30S", 90), ("PT0.5S", 0.5), ("1500ms", 1.5)])
def test_durations_of_the_other_program(run: Run, text: str, seconds: float) -> None:
    """Times are written as in other options, or as ISO 8601 has them."""
    found = options(run, f"flowable.sandbox.max-command-duration: {text}\n")
    assert found["sandbox-max-command-duration"]["value"] == seconds


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (f"{STARTS}: [{{capacity: 1}}]", f'{STARTS} in line 1: a limit has one value as its "duration"'),
        (f"{STARTS}: [{{capacity: 1, duration: PT1M, burst: 5}}]", 'a limit has no "burst", but capacity, duration'),
        ("sandbox.rate-limit.instance-start[1].capacity: 1", "in line 1: it has no [0]"),
        ("sandbox.rate-limit.instance-start[0].capacity: [1]", 'a limit has one value as its "capacity"'),
        ("sandbox.max-allowed-repetitions: 1\nflowable.sandbox.max-allowed-repetitions: 2", "twice, in lines 1 and 2"),
        (f"{STARTS}: [1/PT1M]\n{STARTS.replace('-', '.')}: [2/PT1M]", "twice, in lines 1 and 2"),
        (f"{STARTS}: [{{capacity: 0, duration: PT1M}}]", "its number must be from 1 to 100,000,000 (w.yml line 1)"),
        (f"{STARTS}: [1/1M]", '"1M" is no ISO 8601 duration such as PT1M, PT1H30M or P1D (w.yml line 1)'),
        ("sandbox.max-command-duration: PT", 'invalid duration "PT": use a unit, for example 5s or 1m30s'),
        (f"{STARTS}: [1/PT1M, 2/PT60S]", '"2/PT60S" is a second limit of global for the same duration'),
    ],
)
def test_faults(run: Run, content: str, fault: str) -> None:
    """What is wrong with a limit is told with its place."""
    Path("w.yml").write_text(content)
    outcome = run("config", "--config=w.yml")
    assert outcome.code != 0
    assert fault in outcome.err + outcome.out
