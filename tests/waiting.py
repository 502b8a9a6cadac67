"""Waiting for what other tasks, threads and processes do, with a deadline that only guards against hanging."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress

import psutil

DEADLINE = 120.0
"""Seconds that any wait may take."""


def eventually(condition: Callable[[], object], what: str) -> None:
    """Wait until a condition holds; ``what`` says which."""
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.005)


async def until(condition: Callable[[], object], what: str = "") -> None:
    """Wait, while other tasks go on, until a condition holds; ``what`` says which. Raises TimeoutError."""
    deadline = time.monotonic() + DEADLINE
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(what)
        await asyncio.sleep(0.005)


def is_gone(process: psutil.Process) -> bool:
    """Whether a process has ended, also if nobody has asked yet how."""
    with suppress(psutil.NoSuchProcess):
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    return True
