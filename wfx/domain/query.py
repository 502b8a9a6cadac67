"""Queries of the store, and pages of their results."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Self, TypeVar

from wfx.domain.job import Job

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Paging:
    """Which part of a result: as the API takes it (rest-api section 6)."""

    offset: int = 0
    """Items to leave out; negative acts like 0."""
    limit: int = 10
    """Items at most; 0 or negative means all."""
    descending: bool = False
    with_total: bool = False
    """Count all matching items too."""


@dataclass(frozen=True, slots=True)
class JobQuery:
    """Which jobs: all given conditions must hold; an empty value sets no condition."""

    client_id: str = ""
    state: str = ""
    workflow: str = ""
    groups: tuple[str, ...] = ()
    """Any of these; the empty string stands for "in no group"."""
    tags: tuple[str, ...] = ()
    """At least one of these."""
    paging: Paging = Paging()


@dataclass(frozen=True, slots=True)
class JobSummary:
    """How many jobs there are in which state, at one moment."""

    counts: Mapping[tuple[str, str, str], int]
    """By the names of workflow, group and state; what has no jobs is left out.

    The group is empty for states that are in none.
    """
    log_id: str
    position: int
    """The newest event that the counts reflect; they reflect all before it, too, and none behind it."""

    @classmethod
    def of(cls, jobs: Iterable[Job], log_id: str, position: int) -> Self:
        """Count these jobs, which are all that there are at this position."""
        return cls(Counter((job.workflow.name, job.group, job.state) for job in jobs), log_id, position)


@dataclass(frozen=True, slots=True)
class Rest(Generic[Item]):
    """What is still to be read of a page; see :meth:`wfx.store.protocol.Store.read_on`."""

    read_next: Any
    """Where it goes on; only the store knows what this means."""
    next_size: int = 0
    """Bytes that the next item takes, if that is known: with room for less it cannot be read."""


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """One page of a result, or a piece of it where all would be too much at once."""

    items: tuple[Item, ...]
    total: int | None = None
    """How many match in all; None unless it was asked for."""
    rest: Rest[Item] | None = None
    """What follows; None if that is all."""
