"""What is known of mutants: a line of JSON each, good as long as their modules stay the same."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.mutants.areas import ROOT


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of one trial."""

    name: str
    """Module, operator and occurrence."""
    module: str
    digest: str
    """Of the module that was mutated."""
    outcome: str
    by: str
    """The test that noticed it."""
    diff: tuple[str, ...]


def digest_of(module: str) -> str:
    """Tells one version of a module from another."""
    return hashlib.sha256((ROOT / module).read_bytes()).hexdigest()[:16]


class State:
    """The verdicts so far, in a file that is only added to, so that a run may be broken off at any time."""

    def __init__(self, file: Path) -> None:
        """Read what is there; what concerns former versions of modules is passed over."""
        self._file = file
        self.verdicts: dict[str, Verdict] = {}
        file.parent.mkdir(parents=True, exist_ok=True)
        for line in file.read_text(encoding="utf-8").splitlines() if file.exists() else ():
            verdict = Verdict(**json.loads(line))
            if (ROOT / verdict.module).exists() and verdict.digest == digest_of(verdict.module):
                self.verdicts[verdict.name] = verdict

    def add(self, verdict: Verdict) -> None:
        """Keep a verdict."""
        self.verdicts[verdict.name] = verdict
        with self._file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(verdict)) + "\n")
