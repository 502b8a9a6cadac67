"""Tokens that effects need before they may be carried out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from wfx.limits.policy import Kind
from wfx.reactions.effects import NewJob
from wfx.service.limits import Limits


def wanted(limits: Limits, starts: Iterable[NewJob], tasks: int) -> Iterator[tuple[Kind, dict[str, str]]]:
    """Return the tokens for jobs that are to be created and so many tasks: of what kind, and whose."""
    if limits.is_set(Kind.INSTANCE_START):
        yield from ((Kind.INSTANCE_START, start._asdict()) for start in starts)
    if limits.is_set(Kind.JOB_SCHEDULE):
        yield from ((Kind.JOB_SCHEDULE, {}) for _ in range(tasks))
