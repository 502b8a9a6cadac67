"""Retention of tasks: drops those that are done or have failed for long."""

from __future__ import annotations

import logging
from collections.abc import Callable

from wfx.domain.timestamp import SECOND, Timestamp
from wfx.store.rule_protocol import RuleStore
from wfx.store.rule_records import TaskQuery
from wfx.store.upkeep import Upkeep, present

KEPT_DAYS = 30
"""How long it is seen what became of a task, and a failed one can be replayed."""
_DAY = 86_400 * SECOND
_logger = logging.getLogger(__name__)


class TaskRetention(Upkeep):
    """The background task; an async context manager."""

    name = "task retention"
    cannot = "cannot drop old tasks, trying again later"
    failed = "dropping old tasks failed, trying again later"

    def __init__(
        self,
        store: RuleStore,
        *,
        interval: float = 600,
        pause: float = 0.05,
        now: Callable[[], Timestamp] = present,
    ) -> None:
        """Take a turn every ``interval`` seconds, with ``pause`` seconds between its transactions."""
        super().__init__(interval, pause, now)
        self._store = store

    async def take_turn(self) -> None:
        """Drop tasks that ended long ago, and the oldest ones if there are too many. Raises StoreError.

        Where there are no tasks at all, nothing is written.
        """
        if not await self._store.list_tasks(TaskQuery(limit=1)):
            return
        if dropped := await self._in_pieces(self._drop_some):
            _logger.info("dropped %d old tasks", dropped)

    async def _drop_some(self, at_most: int) -> int:
        return await self._store.drop_tasks(Timestamp(self._now() - KEPT_DAYS * _DAY), at_most)
