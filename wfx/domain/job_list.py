"""Lists of jobs, page by page, without their definitions and the documents of their workflows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from wfx.domain.json import Json
from wfx.domain.query import JobQuery
from wfx.domain.timestamp import Timestamp


class Period(NamedTuple):
    """From a moment on, and before another, in microseconds since 1970."""

    since: int = -(2**62)
    until: int = 2**62


ALWAYS = Period()


@dataclass(frozen=True, slots=True)
class JobListQuery:
    """Which jobs, and which part of them: all given conditions must hold; an empty value sets no condition."""

    jobs: JobQuery = JobQuery()
    """What indexes answer; its page is of no importance."""
    all_tags: tuple[str, ...] = ()
    """Each of these."""
    client_prefix: str = ""
    """How the client's id begins, bytewise."""
    created: Period = ALWAYS
    modified: Period = ALWAYS
    descending: bool = False
    """The newest first; the order is that of creation."""
    after: int | None = None
    """The number where the page before ended."""
    limit: int = 100
    """Jobs at most; more than 0."""

    @property
    def needs_rows(self) -> bool:
        """Whether there are conditions that no index answers."""
        return bool(self.client_prefix) or (self.created, self.modified) != (ALWAYS, ALWAYS)


class JobRow(NamedTuple):
    """What a list shows of a job."""

    id: str
    client_id: str
    workflow: str
    """Its name."""
    group: str
    """Empty for a state that is in none."""
    state: str
    status: Json
    tags: Json
    stime: Timestamp
    mtime: Timestamp


@dataclass(frozen=True, slots=True)
class JobSelection:
    """Those of the next jobs that fulfil a query; its limit is of no importance."""

    count: int
    """How many they are."""
    jobs: tuple[tuple[int, str], ...]
    """Their numbers and ids in order; none where they were only counted."""
    next: int | None
    """Where the next ones begin; None if that is all."""
    log_id: str
    position: int
    """The newest event that this reflects."""


@dataclass(frozen=True, slots=True)
class JobList:
    """One page. It may have fewer rows than were asked for, even none, and yet be followed by another."""

    rows: tuple[JobRow, ...]
    next: int | None
    """Where the next page begins; None if that is all. Only the store knows what the number means."""
    log_id: str
    position: int
    """The newest event that the page reflects."""
