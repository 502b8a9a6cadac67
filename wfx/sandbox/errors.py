"""Errors of worker processes.

SandboxError
├── LimitReached     the work ran into a limit, and its process was ended
└── Unavailable      no worker was free in time, none could be started, or one ended for a reason unrelated to the work
"""

from __future__ import annotations

from enum import StrEnum


class Limit(StrEnum):
    """The limits of a worker."""

    TIME = "time"
    MEMORY = "memory"
    OUTPUT = "output"


class SandboxError(Exception):
    """The work was not done."""


class LimitReached(SandboxError):
    """The work ran into a limit."""

    def __init__(self, which: Limit, status: int | None = None) -> None:
        """Keep which limit it was, and the status of the process if it ended by a signal."""
        super().__init__(f"a worker process ran into its limit of {which}")
        self.which = which
        self.status = status


class Unavailable(SandboxError):
    """The work could not be done now, for no fault of its own."""
