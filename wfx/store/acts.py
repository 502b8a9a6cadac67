"""What can be asked of a store's writer: one record for each writing act of :class:`~wfx.store.protocol.Store`."""

from __future__ import annotations

from dataclasses import dataclass

from wfx.domain.timestamp import Timestamp
from wfx.domain.workflow import Workflow
from wfx.store.protocol import DecideChange, DecideCreation


@dataclass(frozen=True, slots=True)
class CreateJob:
    """Create a job of the named workflow."""

    workflow: str
    decide: DecideCreation
    size: int = 0
    """Bytes of the documents that it brings."""


@dataclass(frozen=True, slots=True)
class ChangeJob:
    """Change a job as the decision says."""

    job_id: str
    decide: DecideChange
    size: int = 0
    """Bytes of the documents that it brings."""


@dataclass(frozen=True, slots=True)
class DeleteJob:
    """Remove a job with its history."""

    job_id: str


@dataclass(frozen=True, slots=True)
class CreateWorkflow:
    """Store a checked workflow."""

    workflow: Workflow


@dataclass(frozen=True, slots=True)
class DeleteWorkflow:
    """Remove a workflow that no job refers to."""

    name: str


@dataclass(frozen=True, slots=True)
class PruneLog:
    """Drop the oldest events."""

    keep_newest: int
    older_than: Timestamp
    at_most: int


@dataclass(frozen=True, slots=True)
class SweepHistories:
    """Drop history entries of jobs that are deleted."""

    at_most: int


JobAct = CreateJob | ChangeJob | DeleteJob
"""Acts that come in masses; many are worked out together, see :class:`~wfx.store.plan.Plan`."""
RareAct = CreateWorkflow | DeleteWorkflow | PruneLog | SweepHistories
"""Acts that are done one by one on the tables."""
Act = JobAct | RareAct
