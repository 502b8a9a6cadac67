"""Findings of a check of a store."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

Progress = Callable[[str, int, int], None]
"""Hears how far a long task is: what is being done, how much of it, and out of how much (0 if that is not known)."""

_KEPT = 10
"""Findings of one kind that are told in full; damage often comes in thousands of the same."""
_LONGEST = 200
"""Characters of a value that are shown: a document may have megabytes."""
UNREADABLE = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What rows raise that cannot be read: missing members, wrong types, broken JSON or UTF-8, nesting beyond bounds."""


def quiet(what: str, done: int, total: int) -> None:
    """Tell nobody of the progress."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it must be."""

    check: str
    """The check that found it; ``docs/operations.md`` tells what each means."""
    row: str
    """Where: the table's row, or the job with its number and id."""
    expected: str
    found: str


@dataclass(slots=True)
class Report:
    """The outcome of an examination."""

    place: str
    """What was examined."""
    log: dict[str, Any] = field(default_factory=dict)
    """The log's identity, and the numbers of its oldest and newest event (None where there is none)."""
    examined: dict[str, int] = field(default_factory=dict)
    """How many rows of each kind there are."""
    consumers: dict[str, dict[str, int]] = field(default_factory=dict)
    """Of each consumer of the log its position, its steps, and how many events were pruned before it had read them."""
    findings: list[Finding] = field(default_factory=list)
    """The first few of each check."""
    counts: dict[str, int] = field(default_factory=dict)
    """How many there are of each check."""

    @property
    def sound(self) -> bool:
        """Whether nothing was found."""
        return not self.counts

    def add(self, findings: Iterable[Finding]) -> None:
        """Count findings, and keep the first of each check."""
        for finding in findings:
            self.counts[finding.check] = self.counts.get(finding.check, 0) + 1
            if self.counts[finding.check] <= _KEPT:
                self.findings.append(finding)


def finding(check: str, row: object, expected: object, found: object) -> Finding:
    """Make a finding of values of any kind and length."""
    return Finding(check, shown(row), shown(expected), shown(found))


def shown(value: object) -> str:
    """Return the beginning of a value, for messages."""
    text = str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({len(text)} characters)"
