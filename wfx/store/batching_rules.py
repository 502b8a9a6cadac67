"""What the store does for rules: implements :class:`wfx.store.rule_protocol.RuleStore` over any backend."""
# ruff: noqa: D102 - the protocol documents its methods

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import Any

from wfx.domain.json import Json
from wfx.domain.timestamp import Timestamp
from wfx.store.backend import Backend
from wfx.store.batching import Batcher
from wfx.store.operations import (
    ClaimTasks,
    DropTasks,
    FinishTask,
    HastenTasks,
    JobOperation,
    ReplayTask,
    TakeEvent,
    TellEvent,
    TellTask,
)
from wfx.store.plan import Clock
from wfx.store.rule_records import (
    NOTHING,
    AnswersTo,
    NextTaskDue,
    OpenTasks,
    RepetitionsOf,
    RuleRecords,
    Score,
    ScoreSearch,
    ScoreTotals,
    SequencesNamed,
    Task,
    TaskOutcome,
    TaskQuery,
    TaskSearch,
    TaskState,
    is_name,
    reason_of,
)

_HIGHEST = 2**62
_LONGEST_CLAIM = 86_400
_MOST_LISTED = 1000
"""Tasks, and entries of points, that are read at once."""


_UNTOLD = TaskOutcome(TaskState.FAILED, Json(b"null"))
"""Stands for an outcome that is made later."""


class BatchingRules:
    """A part of :class:`wfx.store.batching_store.BatchingStore`."""

    backend: Backend
    _writes: Batcher[Any]
    _clock: Clock
    _task_observers: list[Callable[[], None]]

    def watch_tasks(self, observer: Callable[[], None]) -> None:
        self._task_observers.append(observer)

    def _tell_tasks(self, records: RuleRecords) -> None:
        """Tell that records were written."""
        if records.tasks:
            for observer in self._task_observers:
                observer()

    async def take_event(
        self,
        event_id: str,
        operations: Sequence[JobOperation],
        records: RuleRecords,
        tell: TellEvent,
        *,
        is_kept: bool = True,
    ) -> str:
        taken = TakeEvent(_key_of(event_id), tuple(operations), settled(records), tell, self._clock(), is_kept)
        answer: str = await self._writes.submit(taken)
        self._tell_tasks(records)
        return answer

    async def read_event_answer(self, event_id: str) -> str | None:
        key = _key_of(event_id)
        answers: Mapping[str, str] = await self.backend.read_rules(AnswersTo([key]))
        return answers.get(key)

    async def claim_tasks(self, kinds: Sequence[str], at_most: int, ttl: float) -> Sequence[Task]:
        if not 0 < ttl <= _LONGEST_CLAIM:
            raise ValueError(f"a task is claimed for more than 0 seconds and at most {_LONGEST_CLAIM:,}, not for {ttl}")
        claim = ClaimTasks(tuple(filter(is_name, kinds)), _bounded(at_most), max(int(ttl * 1e6), 1))
        claimed: Sequence[Task] = await self._writes.submit(claim)
        return claimed

    async def finish_task(
        self,
        task: Task,
        outcome: TaskOutcome | TellTask,
        operations: Sequence[JobOperation] = (),
        records: RuleRecords = NOTHING,
    ) -> Sequence[Any]:
        told, tell = (outcome, None) if isinstance(outcome, TaskOutcome) else (_UNTOLD, outcome)
        acts, now = tuple(operations), self._clock()
        finished = FinishTask(task.id, task.attempts, told, acts, settled(records), now, tell, task.key)
        answers: Sequence[Any] = await self._writes.submit(finished)
        self._tell_tasks(records)
        return answers

    async def next_task_due(self, kinds: Sequence[str]) -> Timestamp | None:
        due: Timestamp | None = await self.backend.read_rules(NextTaskDue(tuple(filter(is_name, kinds))))
        return due

    async def count_open_tasks(self) -> Mapping[str, int]:
        counts: Mapping[str, int] = await self.backend.read_rules(OpenTasks())
        return counts

    async def list_tasks(self, query: TaskQuery, room: int = _HIGHEST) -> Sequence[Task]:
        if query.kind is not None and not is_name(query.kind):
            return ()
        after = _bounded((_HIGHEST if query.descending else 0) if query.after is None else query.after)
        limited = query._replace(limit=max(0, min(query.limit, _MOST_LISTED)), after=after)
        tasks: Sequence[Task] = await self.backend.read_rules(TaskSearch(limited, _bounded(room)))
        return tasks

    async def replay_task(self, task_id: int) -> Task:
        task: Task = await self._writes.submit(ReplayTask(_bounded(task_id)))
        return task

    async def hasten_tasks(self, kinds: Sequence[str], ids: Sequence[int] | None = None) -> int:
        few = None if ids is None else tuple(map(_bounded, ids))
        hastened: int = await self._writes.submit(HastenTasks(tuple(filter(is_name, kinds)), few))
        return hastened

    async def drop_tasks(self, older_than: Timestamp, at_most: int) -> int:
        dropped: int = await self._writes.submit(DropTasks(Timestamp(_bounded(older_than)), _bounded(at_most)))
        return dropped

    async def score_totals(self, actor_ids: Sequence[str]) -> Mapping[str, float]:
        found = await self.backend.read_rules(ScoreTotals(_names(actor_ids)))
        return {actor_id: found.get(actor_id, 0.0) for actor_id in actor_ids}

    async def list_scores(self, after: int, limit: int, actor_id: str | None = None) -> Sequence[Score]:
        if actor_id is not None and not is_name(actor_id):
            return ()
        page = ScoreSearch(_bounded(after), max(0, min(limit, _MOST_LISTED)), actor_id)
        scores: Sequence[Score] = await self.backend.read_rules(page)
        return scores

    async def sequences(self, names: Sequence[str]) -> Mapping[str, int]:
        found = await self.backend.read_rules(SequencesNamed(_names(names)))
        return {name: found.get(name, 0) for name in names}

    async def repetitions(self, root: str) -> Mapping[str, int]:
        counts: Mapping[str, int] = await self.backend.read_rules(RepetitionsOf(root)) if is_name(root) else {}
        return counts


def settled(records: RuleRecords) -> RuleRecords:
    """Return records as they are stored. Raises ValueError if they have a fault."""
    if (fault := records.fault) is not None:
        raise ValueError(fault)
    if not records.scores:
        return records
    return records._replace(scores=[each._replace(reason=reason_of(each.reason)) for each in records.scores])


def _key_of(event_id: str) -> str:
    """Return what an id is kept as: clients choose them, of any length and with any character."""
    return sha256(event_id.encode(errors="surrogatepass")).hexdigest()


def _names(texts: Sequence[str]) -> Sequence[str]:
    """Return each text once that stores take as a name."""
    return tuple(dict.fromkeys(filter(is_name, texts)))


def _bounded(number: int) -> int:
    return max(-_HIGHEST, min(number, _HIGHEST))
