"""Pages of what is in memory: chooses items by their keys, and reads what there is room for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from wfx.domain.job import Action, Event, Job
from wfx.domain.query import Item, Page, Paging, Rest
from wfx.domain.workflow import Workflow
from wfx.store.sizes import AROUND_JOB, fitting, size_of

Key = TypeVar("Key")


def read_piece(
    keys: Sequence[Key], find: Callable[[Key], Item | None], size: Callable[[Item], int], room: int
) -> Page[Item]:
    """Read what fits of the items that are there."""
    there = [(place, item) for place, key in enumerate(keys) if (item := find(key)) is not None]
    taken, following = fitting(there, lambda one: size(one[1]), room)
    rest: Rest[Item] | None = None
    if following is not None:
        rest = Rest(partial(read_piece, keys[following[0] :], find, size), size(following[1]))
    return Page(tuple(item for _, item in taken), rest=rest)


def read_page(keys: Sequence[Key], paging: Paging, read: Callable[[Sequence[Key]], Page[Item]]) -> Page[Item]:
    """Choose the keys of a page, and read what fits of it."""
    ordered = keys[::-1] if paging.descending else keys
    first = max(paging.offset, 0)
    page = read(ordered[first : first + paging.limit] if paging.limit > 0 else ordered[first:])
    return Page(page.items, len(keys) if paging.with_total else None, page.rest)


def size_of_workflow(workflow: Workflow) -> int:
    """Return how many bytes the workflow has."""
    return len(workflow.encoded)


def size_of_shown_job(job: Job) -> int:
    """Return how many bytes the job has in a page, with its workflow."""
    return size_of(job) + size_of_workflow(job.workflow) + AROUND_JOB


def size_of_event(event: Event) -> int:
    """Return how many bytes the event has as it is shown."""
    return len(event.payload) + (size_of_workflow(event.workflow) if event.action is Action.CREATE else 0)
