"""Types of an attack: the hostile program, the service under attack, and what others may be answered meanwhile.

A module of this directory that has a ``KIND`` is run by ``make attack`` against each engine, and for a few seconds by
``test_quick.py``. Its attack runs in a process of its own, so that it takes nothing from the clients that are observed.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from wfx.store.sqlite.checking import check

BASE = "/api/wfx/v1"
ENGINES = ("uvicorn", "hypercorn")
DONE = frozenset({200, 201, 204})


@dataclass(frozen=True, slots=True)
class Target:
    """A service under attack. It runs on loopback, with the workflow ``w`` (one state, ``S``) and no other load."""

    engine: str
    north_port: int
    south_port: int
    pid: int
    """The service's process."""
    folder: str
    """Where the service runs, with ``wfx.db``."""
    until: float
    """When the attack ends, by the system's monotonic clock."""

    @property
    def north(self) -> str:
        """The base address of the management side."""
        return f"http://127.0.0.1:{self.north_port}{BASE}"

    @property
    def south(self) -> str:
        """The base address of the device side."""
        return f"http://127.0.0.1:{self.south_port}{BASE}"

    @property
    def ports(self) -> tuple[int, int]:
        """Both ports."""
        return self.north_port, self.south_port

    def goes_on(self) -> bool:
        """Whether there is time left for another attempt."""
        return self.remaining() > 0

    def remaining(self) -> float:
        """Seconds until the attack ends; at least 0."""
        return max(0.0, self.until - time.monotonic())  # measured: ends the attack


Attack = Callable[[Target], Awaitable[Counter[str]]]
"""Attack until ``target.goes_on()`` is false; at least one attempt of each sort, however short the time is.

Returns what was done and what came of it, in the attack's own words: ``{"requests": 1200, "answered 400": 1180}``.
Raises AssertionError when the service did to the attacker what it must not do, such as two answers to one request.
"""


def no_options(_folder: Path) -> Sequence[str]:
    """The service runs with its defaults."""
    return ()


def check_store(folder: Path) -> Sequence[str]:
    """What ``wfx check`` finds in the service's file."""
    return [f"{finding.check}: {finding.row}: {finding.found}" for finding in check(folder / "wfx.db").findings]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of attack, and what must be so during and after it."""

    attack: Attack
    prepare: Callable[[Path], Sequence[str]] = no_options
    """Puts files (plugins, configurations) into the service's directory and gives the service's options."""
    answers: dict[str, frozenset[int]] = field(default_factory=lambda: {"GET": DONE, "PUT": DONE})
    """The statuses that a well-behaved client may be given while it gets and puts."""
    headers: tuple[str, ...] = ()
    """Fields that well-behaved clients send, such as their tokens."""
    log: frozenset[str] = frozenset()
    """Parts of messages at level error that the service may log; others, and tracebacks, are findings."""
    exit_status: int = 0
    """What the service ends with."""
    check: Callable[[Path], Sequence[str]] = check_store
    """Examines the service's directory once the service has ended; gives what is wrong."""
