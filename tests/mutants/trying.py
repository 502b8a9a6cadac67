"""Tries mutants: in a copy of the tree, by the tests of their area, with an end to each."""

from __future__ import annotations

import math
import os
import shutil
import signal
import subprocess
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from json import dumps
from pathlib import Path

from tests.mutants.areas import ROOT, files_of, own_of
from tests.mutants.durations import Durations

KILLED, SURVIVED, TIMED_OUT = "killed", "survived", "timed out"
PYTHON = ROOT / ".venv" / "bin" / "python"
_MARK = "MUTANT_OF_TREE"
"""Environment variable that tells the processes of a trial, wherever they have gone."""
_NO_TESTS = 5
LONGEST_OWN = 12.0
"""The longest test of a module itself, in seconds."""
LONGEST_OTHER = 1.0
"""The longest of the other tests of its area."""
SECOND_ENGINE = ("hypercorn",)
"""What the names of tests contain that repeat those of the first engine."""
_OPTIONS = (
    "-x", "-q", "--no-header", "-p", "no:cacheprovider", "--timeout=60", "--hypothesis-profile=first",
    "-W", "ignore::pytest.PytestAssertRewriteWarning",
)  # fmt: skip


class BaselineError(Exception):
    """The tests of an area fail without any mutant, so they say nothing."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Some of the tests of a module, which run together."""

    files: tuple[str, ...]
    longest: float
    """Tests that take more seconds are left out."""
    containing: tuple[str, ...]
    """Tests are left out whose names contain one of these."""


def stages(module: str, noticed: Counter[str], *, thorough: bool) -> tuple[Stage, ...]:
    """What a mutant is tried on: the tests of its module, then the others of its area, the most successful first."""
    files, named = files_of(module), own_of(module)
    own = tuple(file for file in files if file in named)
    others = tuple(sorted((file for file in files if file not in named), key=lambda file: -noticed[file]))
    quick = (Stage(own, LONGEST_OWN, SECOND_ENGINE), Stage(others, LONGEST_OTHER, SECOND_ENGINE))
    return (*quick, Stage((*own, *others), math.inf, ())) if thorough else quick


class Tree:
    """A copy of the work tree that mutants are written into, and a process that runs tests in it."""

    def __init__(self, path: Path, durations: Durations) -> None:
        """Copy what git knows, as it lies in the work tree."""
        self._path = path
        self._durations = durations
        shutil.rmtree(path, ignore_errors=True)
        command = ["git", "ls-files", "-co", "--exclude-standard"]
        for name in subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines():
            if (ROOT / name).is_file():
                (path / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, path / name)
        (path / ".venv").symlink_to(ROOT / ".venv")  # examples of plugins are run by it
        paths = os.pathsep.join(str(path / part) for part in ("", "plugins", "loadtest", "tests"))
        environment = {**os.environ, "PYTHONPATH": paths, "CI": "1", "PYTHONDONTWRITEBYTECODE": "1"}
        self._warm = subprocess.Popen(
            [PYTHON, ROOT / "tests" / "mutants" / "warm.py"], cwd=path, env=environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip

    def measure(self, module: str) -> None:
        """Learn how long the tests of a module take. Raises BaselineError."""
        for tests in files_of(module):
            if not self._durations.known(tests):
                report = self._path.with_suffix(".xml")
                status, said = self._run(Stage((tests,), math.inf, SECOND_ENGINE), 3600, f"--junitxml={report}")
                if status:
                    raise BaselineError(f"{tests} fails without a mutant:\n{said}")
                self._durations.learn(tests, report)

    def attempt(
        self, module: str, code: str, wanted: tuple[Stage, ...], limit: Callable[[Stage], float]
    ) -> tuple[str, str]:
        """Run tests on a mutant until the first fails; returns the verdict, and which test gave it."""
        file = self._path / module
        original = file.read_text(encoding="utf-8")
        file.write_text(code, encoding="utf-8")
        try:
            for stage in wanted:
                status, said = self._run(stage, limit(stage))
                if status:
                    return (KILLED if status > 0 else TIMED_OUT), _first_failure(said) or " ".join(stage.files)
        finally:
            file.write_text(original, encoding="utf-8")
        return SURVIVED, ""

    def _run(self, stage: Stage, limit: float, *options: str) -> tuple[int, str]:
        """Run some tests until the first fails; the status is negative if they do not end."""
        if not stage.files:
            return 0, ""
        said, mark = self._path.with_suffix(".said"), str(self._path)
        request = {
            "arguments": [*_OPTIONS, *options, *stage.files],
            "left_out": self._durations.longer_than(stage.longest),
            "containing": stage.containing,
            "environment": {_MARK: mark},
            "limit": limit,
            "output": str(said),
        }
        assert self._warm.stdin is not None
        assert self._warm.stdout is not None
        self._warm.stdin.write(dumps(request) + "\n")
        self._warm.stdin.flush()
        status = int(self._warm.stdout.readline())
        _end_all(mark)
        return (0 if status == _NO_TESTS else status), said.read_text(encoding="utf-8", errors="replace")

    def close(self) -> None:
        """End the process that runs tests."""
        assert self._warm.stdin is not None
        self._warm.stdin.close()
        self._warm.wait()


def _end_all(mark: str) -> None:
    """Kill whatever a trial started and left."""
    wanted = f"{_MARK}={mark}".encode()
    for process in Path("/proc").iterdir():
        try:
            if process.name.isdigit() and wanted in (process / "environ").read_bytes().split(b"\0"):
                os.kill(int(process.name), signal.SIGKILL)
        except (PermissionError, ProcessLookupError, FileNotFoundError):
            continue


def _first_failure(said: str) -> str:
    return next((line.split()[1] for line in said.splitlines() if line.startswith(("FAILED tests", "ERROR tests"))), "")
