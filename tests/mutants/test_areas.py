"""What `make mutants` needs to know: which tests concern which modules, and which changes make no difference."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.mutants import areas, report, state
from tests.mutants.state import State, Verdict


@pytest.mark.parametrize("area", areas.AREAS)
def test_each_module_has_tests(area: str) -> None:
    """For each module of an area there are tests, and all that the table names are there."""
    modules = list(areas.modules_of(area))
    assert len(modules) >= 4
    assert [tests for module in modules for tests in areas.tests_of(module) if not (areas.ROOT / tests).exists()] == []


def test_each_pattern_names_modules() -> None:
    """Every pattern of the table of modules and tests fits a module that is there."""
    modules = [str(path.relative_to(areas.ROOT)) for path in (areas.ROOT / "wfx").rglob("*.py")]
    assert [pattern for pattern, _ in areas.TESTS if not fnmatch.filter(modules, pattern)] == []


def test_equivalent_mutants_are_read() -> None:
    """Every row of the table of equivalent mutants names a module that is there, and is understood."""
    rows = [line for line in report.JUDGED.read_text(encoding="utf-8").splitlines() if line.startswith("| `wfx/")]
    assert len(report.equivalents()) == len(rows)
    assert [module for module, _, _ in report.equivalents() if not (areas.ROOT / module).exists()] == []


@pytest.fixture
def verdicts() -> Iterator[Verdict]:
    """A mutant that was noticed, and one that was not."""
    module = "wfx/domain/job.py"
    made = {"module": module, "digest": state.digest_of(module), "by": ""}
    return iter([
        Verdict(name="one", outcome="killed", diff=("-a < b", "+a > b"), **made),
        Verdict(name="two", outcome="survived", diff=("-a | b", "+a & b"), **made),
    ])


def test_the_table(verdicts: Iterator[Verdict], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The table counts what was noticed; what was judged to be equivalent does not count, and is not shown again."""
    first, second = verdicts
    monkeypatch.setattr(report, "JUDGED", tmp_path / "mutants.md")
    shown = list(report.lines([first, second]))
    assert "| **domain** | 2 | 1 | 0 | 1 | 0 | 50 % |" in shown
    assert shown[-1].endswith("two\n| `wfx/domain/job.py` | `` a | b `` | `` a & b `` | … |")
    (tmp_path / "mutants.md").write_text("| `wfx/domain/job.py` | `` a | b `` | `` a & b `` | both are flags |\n")
    shown = list(report.lines([first, second]))
    assert shown[-1] == "| **all** | 2 | 1 | 0 | 0 | 1 | 100 % |"


def test_a_run_goes_on_where_it_stopped(verdicts: Iterator[Verdict], tmp_path: Path) -> None:
    """Verdicts are there again after a restart, unless their module has changed."""
    first, second = verdicts
    file = tmp_path / "verdicts.jsonl"
    State(file).add(first)
    State(file).add(Verdict(second.name, second.module, "another version", second.outcome, "", second.diff))
    again = State(file)
    assert [*again.verdicts] == ["one"]
    assert again.verdicts["one"].diff == ["-a < b", "+a > b"]
