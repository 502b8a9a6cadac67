"""What `make mutants` needs to know: which tests concern which modules, and which changes make no difference."""

from __future__ import annotations

import fnmatch
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.mutants import areas, report, state, trying
from tests.mutants.durations import Durations
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


def test_tests_that_name_a_module_come_first() -> None:
    """A change to a module is tried on the tests called like it first, then on those that import it, then on others."""
    files = areas.files_of("wfx/domain/definition.py")
    assert files[0] == "tests/domain/test_definition.py"
    own = areas.own_of("wfx/domain/definition.py")
    assert {"tests/domain/test_replay.py", "tests/acceptance/hostile/test_workflows.py"} < own < {*files}
    assert {*files[: len(own)]} == own


def test_tests_that_take_long_are_left_out_and_none_if_thorough(tmp_path: Path) -> None:
    """A change is tried on the quick tests of its area, in the order of what they noticed, and thoroughly on all."""
    module = "wfx/events/page.py"
    first = "tests/events/test_streams.py"
    quick = trying.stages(module, Counter({first: 3}), thorough=False)
    assert [stage.longest for stage in quick] == [trying.LONGEST_OWN, trying.LONGEST_OTHER]
    assert quick[1].files[0] == first
    *_, last = trying.stages(module, Counter(), thorough=True)
    assert {*last.files} == {*areas.files_of(module)}
    report = tmp_path / "report.xml"
    report.write_text('<suite><testcase name="test_a" time="1.5"/><testcase name="test_b[x]" time="0.5"/></suite>')
    durations = Durations(tmp_path / "durations.json")
    durations.learn(first, report)
    again = Durations(tmp_path / "durations.json")
    assert again.longer_than(1) == [f"{first}::test_a"]
    assert (again.total(first, 1), again.total(first, last.longest)) == (0.5, 2)


def test_tests_run_in_forks(tmp_path: Path) -> None:
    """Each run of tests imports the code anew, leaves out what it shall, and says if a test failed or did not end."""
    tests = "from it import A\ndef test_a(): assert A\ndef test_b():\n    while True: pass\n"
    (tmp_path / "test_it.py").write_text(tests)
    program = Path(trying.__file__).with_name("warm.py")
    with subprocess.Popen(
        [sys.executable, program], cwd=tmp_path, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as warm:
        assert warm.stdin is not None
        assert warm.stdout is not None
        for code, left_out, limit, expected in (
            ("A = 1", ["test_it.py::test_b"], 60, 0),
            ("A = 0", ["test_it.py::test_b"], 60, 1),
            ("A = 1", [], 1, -1),
        ):
            (tmp_path / "it.py").write_text(code)
            request = {
                "arguments": ["-q", "-p", "no:cacheprovider", "test_it.py"],
                "left_out": left_out,
                "containing": [],
                "environment": {"PYTHONDONTWRITEBYTECODE": "1"},
                "limit": limit,
                "output": str(tmp_path / "said"),
            }
            warm.stdin.write(json.dumps(request) + "\n")
            warm.stdin.flush()
            assert int(warm.stdout.readline()) == expected, (tmp_path / "said").read_text()
        warm.stdin.close()


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
    return iter(
        [
            Verdict(name="one", outcome="killed", diff=("-a < b", "+a > b"), **made),
            Verdict(name="two", outcome="survived", diff=("-a | b", "+a & b"), **made),
        ]
    )


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
