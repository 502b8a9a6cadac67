"""Sizes of jobs and history entries in bytes, and pages that fit into a bounded room."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from wfx.domain.job import Job

Item = TypeVar("Item")

AROUND_JOB = 400
"""Bytes that a job takes beside its documents and its workflow when it is shown: id, times, names of members."""
AROUND_ENTRY = 100
"""The same of a history entry."""


def size_of(job: Job) -> int:
    """Return how many bytes the documents of a job have, with the name of its client."""
    client_id = job.client_id
    name = len(client_id) if client_id.isascii() else len(client_id.encode())
    return name + len(job.tags) + len(job.status) + len(job.definition or b"")


def fitting(
    items: Iterable[Item], size: Callable[[Item], int], room: int, *, at_least: int = 0
) -> tuple[list[Item], Item | None]:
    """Return the first items that fit into ``room``, and the next one; None if all fit.

    The first ``at_least`` items are taken however large they are.
    """
    taken: list[Item] = []
    for item in items:
        room -= size(item)
        if room < 0 and len(taken) >= at_least:
            return taken, item
        taken.append(item)
    return taken, None
