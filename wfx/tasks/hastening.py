"""Tasks that wait for limits are due at once, since limits may have changed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from wfx.store.rule_protocol import RuleStore
from wfx.store.rule_records import TaskQuery, TaskState
from wfx.tasks.progress import Progress

Hasten = Callable[[RuleStore, Sequence[str]], Awaitable[None]]
"""Has tasks of these kinds be due. Raises StoreError."""
_PAGE = 500
_ROOM = 4 * 1024 * 1024
"""Bytes of documents that are read at once."""


async def hasten_all(store: RuleStore, kinds: Sequence[str]) -> None:
    """Have all of them be due."""
    await store.hasten_tasks(kinds)


async def hasten_limited(store: RuleStore, kinds: Sequence[str]) -> None:
    """Have those be due that wait for a limit; others are tried again as their plan says."""
    query = TaskQuery(state=TaskState.WAITING, limit=_PAGE)
    while found := await store.list_tasks(query, _ROOM):
        if limited := [task.id for task in found if task.kind in kinds and Progress.of(task.result).is_limited]:
            await store.hasten_tasks(kinds, limited)
        query = query._replace(after=found[-1].id)
