"""Limits of scripts."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1024 * 1024
OPERATIONS_STEP = 10_000
"""Operations are counted in steps of so many; a limit counts as the next multiple."""


@dataclass(frozen=True, slots=True)
class ScriptLimits:
    """What one script may use, and how many scripts are served at once."""

    memory: int = 128 * MIB
    """Bytes that the values of a script may take."""
    seconds: float = 30.0
    """Seconds from the begin of a run in its worker to its result."""
    operations: int = 10_000_000
    """Jumps, branches and calls of a run, exact to OPERATIONS_STEP: the same script trips at the same place."""
    output: int = MIB
    """Bytes of a result, as JSON."""
    source: int = 64 * 1024
    """Bytes of a source, in UTF-8."""
    admitted: int = 200
    """Scripts that run or wait for a worker at once; ``vm_pool.max_size``."""
    patience: float = 5.0
    """Seconds that a run waits to be admitted, before it is refused with Outcome.BUSY."""
    compiled: int = 100
    """Compiled scripts that are kept in memory; ``vm_pool.preload_size``."""
