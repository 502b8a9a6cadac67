"""Progress of a task: how often it was tried and what came of it, as its result in the store tells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from wfx.domain.json import Json, decode, encode

_LONGEST = 500
"""Characters that are kept of what was said."""


@dataclass(frozen=True, slots=True)
class Progress:
    """What is known of the attempts of a task.

    The store counts how often a task was claimed, which is more: a claimed task may be given back without an attempt.
    """

    attempts: int = 0
    """How many have come to an end."""
    failures: int = 0
    """How many of them failed since the task was made, or replayed."""
    message: str = ""
    """What the last one said."""
    doubtful: int = 0
    """How many failures were doubtful; see :class:`wfx.tasks.performing.TryAgain`."""
    run: Mapping[str, Any] | None = None
    """What is kept of the last run of a script, if anything."""
    is_limited: bool = False
    """Whether it waits for a limit, and not as long as the plan of retries says."""

    @classmethod
    def of(cls, result: Json | None) -> Self:
        """Read a result, which may be of something else."""
        try:
            found = decode(result) if result else None
        except ValueError:  # it is damaged
            found = None
        if not isinstance(found, dict):
            return cls()
        message, run = found.get("message"), found.get("run")
        attempts, failures, doubtful = (
            value if isinstance(value := found.get(name), int) else 0 for name in ("attempts", "failures", "doubtful")
        )
        said = message if isinstance(message, str) else ""
        kept = run if isinstance(run, dict) else None
        return cls(attempts, failures, said, doubtful, kept, found.get("limited") is True)

    @property
    def encoded(self) -> Json:
        """The result, for the store."""
        told: dict[str, Any] = {"attempts": self.attempts, "failures": self.failures, "message": self.message}
        if self.doubtful:
            told["doubtful"] = self.doubtful
        if self.run is not None:
            told["run"] = self.run
        if self.is_limited:
            told["limited"] = True
        return encode(told)

    def with_run(self, run: Mapping[str, Any] | None) -> Self:
        """Return it with what is kept of a run, if anything."""
        return self if run is None else replace(self, run=run)

    def waiting(self, message: str) -> Self:
        """Return the progress of one that may not begin yet."""
        return replace(self, message=_storable(message), is_limited=True)

    def succeeded(self, message: str) -> Self:
        """Return the progress after an attempt that succeeded."""
        message = _storable(message)
        return replace(self, attempts=self.attempts + 1, failures=0, doubtful=0, message=message, is_limited=False)

    def failed(self, message: str, *, is_doubtful: bool = False) -> Self:
        """Return it after one that did not."""
        return replace(
            self,
            attempts=self.attempts + 1,
            failures=self.failures + 1,
            doubtful=self.doubtful + is_doubtful,
            message=_storable(message),
            is_limited=False,
        )

    def given_up(self) -> Self:
        """Return it with failures forgotten, so that a replay has the whole plan of retries before it."""
        return replace(self, failures=0, doubtful=0)


def _storable(message: str) -> str:
    """Return what is kept of a message. Halves of surrogate pairs, as of names of files, are written as escapes."""
    return message[:_LONGEST].encode(errors="backslashreplace").decode()[:_LONGEST]
