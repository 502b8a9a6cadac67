"""Tries mutants: in a copy of the tree, by the tests of their area, with an end to each."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from tests.mutants.areas import ROOT, tests_of

KILLED, SURVIVED, TIMED_OUT = "killed", "survived", "timed out"
PYTHON = ROOT / ".venv" / "bin" / "python"
_MARK = "MUTANT_OF_TREE"
"""Environment variable that tells the processes of a trial, wherever they have gone."""


class BaselineError(Exception):
    """The tests of an area fail without any mutant, so they say nothing."""


@dataclass(frozen=True, slots=True)
class Tree:
    """A copy of the work tree that mutants are written into."""

    path: Path

    def prepare(self) -> None:
        """Copy what git knows, as it lies in the work tree."""
        shutil.rmtree(self.path, ignore_errors=True)
        command = ["git", "ls-files", "-co", "--exclude-standard"]
        for name in subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines():
            if (ROOT / name).is_file():
                (self.path / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, self.path / name)

    def baseline(self, module: str) -> float:
        """The seconds that the tests of a module take. Raises BaselineError."""
        begun = time.monotonic()
        for tests in tests_of(module):
            status, said = self._run(tests, 3600)
            if status:
                raise BaselineError(f"{tests} fails without a mutant:\n{said}")
        return time.monotonic() - begun  # measured: sets the limit for mutants

    def attempt(self, module: str, code: str, limit: float) -> tuple[str, str]:
        """Run the tests on a mutant; returns the verdict, and which tests gave it."""
        file = self.path / module
        original = file.read_text(encoding="utf-8")
        file.write_text(code, encoding="utf-8")
        try:
            for tests in tests_of(module):
                status, said = self._run(tests, limit)
                if status:
                    return (KILLED if status > 0 else TIMED_OUT), _first_failure(said) or tests
        finally:
            file.write_text(original, encoding="utf-8")
        return SURVIVED, ""

    def _run(self, tests: str, limit: float) -> tuple[int, str]:
        """Run some tests until the first fails; the status is negative if they do not end."""
        mark = f"{self.path}"
        path = os.pathsep.join(str(self.path / part) for part in ("", "plugins", "loadtest", "tests"))
        environment = {**os.environ, "PYTHONPATH": path, "CI": "1", "PYTHONDONTWRITEBYTECODE": "1", _MARK: mark}
        options = ("-x", "-q", "--durations=0", "--no-header", "-p", "no:cacheprovider", "--hypothesis-profile=first")
        command = [PYTHON, "-m", "pytest", *options, tests]
        running = subprocess.Popen(
            command, cwd=self.path, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip
        try:
            said, _ = running.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            _end_all(mark)
            said, _ = running.communicate()
            return -1, said
        _end_all(mark)
        return running.returncode, said


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
