"""Finding the worker processes among the children of a process."""

from __future__ import annotations

import psutil


def workers(parent: psutil.Process | None = None) -> list[psutil.Process]:
    """Give the filter workers of a process, by default of this one."""
    return [child for child in (parent or psutil.Process()).children() if "wfx.filtering.worker" in child.cmdline()]
