"""How long each test takes without a mutant, as measured once and kept."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET


class Durations:
    """The seconds of each test, by file and name, in a file of JSON."""

    def __init__(self, file: Path) -> None:
        """Read what is there."""
        self._file = file
        self._of: dict[str, dict[str, float]] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}

    def known(self, tests: str) -> bool:
        """Whether a file of tests was measured."""
        return tests in self._of

    def learn(self, tests: str, report: Path) -> None:
        """Take the durations of a file of tests from pytest's report in JUnit's form."""
        cases = ET.parse(report).iter("testcase")
        self._of[tests] = {f"{tests}::{case.get('name')}": float(case.get("time", 0)) for case in cases}
        self._file.write_text(json.dumps(self._of), encoding="utf-8")

    def longer_than(self, seconds: float) -> list[str]:
        """The tests that take longer."""
        return [name for tests in list(self._of.values()) for name, took in tests.items() if took > seconds]

    def total(self, tests: str, longest: float) -> float:
        """The seconds of the tests of a file that do not take longer each."""
        return sum(took for took in self._of[tests].values() if took <= longest)
