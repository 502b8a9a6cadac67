"""What rules leave, in dictionaries."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from itertools import count, islice
from typing import Any, NamedTuple

from wfx.domain.errors import SequenceTaken, TaskNotFailed, TaskNotFound, TaskTaken
from wfx.domain.timestamp import Timestamp
from wfx.store import rule_records
from wfx.store.backend import EventTaken
from wfx.store.operations import (
    ClaimTasks,
    DropTasks,
    EventAnswers,
    FinishTask,
    HastenTasks,
    ReplayTask,
    RuleCheckpoint,
    TaskOperation,
)
from wfx.store.rule_records import (
    AnswersTo,
    NextTaskDue,
    OpenTasks,
    RepetitionsOf,
    RuleQuestion,
    RuleRecords,
    Score,
    ScoreSearch,
    ScoreTotals,
    SequencesNamed,
    Task,
    TaskSearch,
    TaskState,
)
from wfx.store.sizes import fitting

_OPEN = (TaskState.WAITING, TaskState.RUNNING)


class _Noted(NamedTuple):
    value: int
    time: int


class _Answer(NamedTuple):
    text: str
    time: int
    size: int
    """In bytes."""


class MemoryRules:
    """What the memory backend keeps for rules."""

    def __init__(self) -> None:
        self._tasks: dict[int, Task] = {}
        self._ids: dict[str, int] = {}
        """Of tasks, by their keys."""
        self._numbers = count(1)
        self._scores: dict[str, Score] = {}
        self._totals: defaultdict[str, float] = defaultdict(float)
        self._sequences: dict[str, int] = {}
        self._repetitions: dict[tuple[str, str], _Noted] = {}
        self._answers: dict[str, _Answer] = {}
        self._bytes = 0
        """Of all answers."""

    def require(self, checkpoint: RuleCheckpoint) -> None:
        """Raise EventTaken, TaskTaken or SequenceTaken if the checkpoint does not fit what is there."""
        match checkpoint:
            case EventAnswers(answers):
                if any(key in self._answers for key, _ in answers):
                    raise EventTaken
            case FinishTask(task_id, attempts):
                task = self._tasks.get(task_id)
                if task is None or (task.state, task.attempts) != (TaskState.RUNNING, attempts):
                    raise TaskTaken(task_id, attempts)
        for name, (before, _) in checkpoint.records.sequences.items():
            if self._sequences.get(name, 0) != before:
                raise SequenceTaken(name)

    def write(self, checkpoint: RuleCheckpoint) -> None:
        """Write what the checkpoint says."""
        now = Timestamp(checkpoint.now)
        match checkpoint:
            case EventAnswers(answers):
                self._keep(answers, now)
            case FinishTask(task_id, _, (state, result, _)):
                due = Timestamp(checkpoint.due)
                self._tasks[task_id] = self._tasks[task_id]._replace(state=state, result=result, due=due, mtime=now)
        self._write_records(checkpoint.records, now)

    def _keep(self, answers: Sequence[tuple[str, str]], now: int) -> None:
        for key, text in answers:
            self._answers[key] = _Answer(text, now, len(text.encode()))
            self._bytes += self._answers[key].size

    def _write_records(self, records: RuleRecords, now: Timestamp) -> None:
        for key, kind, document, due, cause in records.tasks:
            if key not in self._ids:
                number = self._ids[key] = next(self._numbers)
                self._tasks[number] = Task(
                    number, key, kind, TaskState.WAITING, due, 0, now, now, document, None, cause
                )
        for entry in records.scores:
            if entry.key not in self._scores:
                self._scores[entry.key] = Score(len(self._scores) + 1, *entry, now)
                self._totals[entry.actor_id] += entry.points
        for name, (_, after) in records.sequences.items():
            self._sequences[name] = after
        for pair, times in records.repetitions.items():
            present = self._repetitions.pop(pair, _Noted(0, now))
            self._repetitions[pair] = _Noted(present.value + times, now)

    def perform(self, operation: TaskOperation, now: int) -> Any:
        """Do an operation on tasks."""
        match operation:
            case ClaimTasks():
                return self._claim(operation, now)
            case ReplayTask(task_id):
                return self._replay(task_id, now)
            case HastenTasks():
                return self._hasten(operation, Timestamp(now))
            case DropTasks():
                return self._drop(operation)

    def _claim(self, claim: ClaimTasks, now: int) -> Sequence[Task]:
        due = [each for each in self._open(claim.kinds) if each.due <= now]
        due.sort(key=lambda task: (task.due, task.id))
        claimed = [
            task._replace(
                state=TaskState.RUNNING,
                attempts=task.attempts + 1,
                due=Timestamp(now + claim.ttl),
                mtime=Timestamp(now),
            )
            for task in due[: max(claim.at_most, 0)]
        ]
        self._tasks.update((task.id, task) for task in claimed)
        return claimed

    def _replay(self, task_id: int, now: int) -> Task:
        task = self._tasks.get(task_id)
        if task is None:
            raise TaskNotFound(task_id)
        if task.state is not TaskState.FAILED:
            raise TaskNotFailed(task_id, task.state)
        moment = Timestamp(now)
        self._tasks[task_id] = task._replace(state=TaskState.WAITING, due=moment, mtime=moment)
        return self._tasks[task_id]

    def _hasten(self, operation: HastenTasks, now: Timestamp) -> int:
        waiting = [each for each in self._open(operation.kinds) if each.state is TaskState.WAITING]
        late = [each for each in waiting if each.due > now and (operation.ids is None or each.id in operation.ids)]
        self._tasks.update((each.id, each._replace(due=now)) for each in late)
        return len(late)

    def _drop(self, operation: DropTasks) -> int:
        finished = [task for task in self._tasks.values() if task.state not in _OPEN]
        finished.sort(key=lambda task: (task.mtime, task.id))
        too_many = len(finished) - rule_records.MOST_TASKS
        oldest = finished[: max(operation.at_most, 0)]
        gone = [each for n, each in enumerate(oldest) if n < too_many or each.mtime < operation.older_than]
        for task in gone:
            del self._tasks[task.id]
            del self._ids[task.key]
        return len(gone)

    def drop_expired(self, now: int, at_most: int) -> int:
        """Drop answers and repetitions that need not be kept any more; return how many."""
        first = islice(self._answers.values(), max(at_most, 0))
        oldest = [(n, each.time, each.size) for n, each in enumerate(first)]
        expired = rule_records.expired_answers(oldest, (len(self._answers), self._bytes), now - rule_records.KEPT)
        answers = [*islice(self._answers, len(expired))]
        for key in answers:
            self._bytes -= self._answers.pop(key).size
        room = max(at_most - len(answers), 0)
        old = [pair for pair, each in self._repetitions.items() if each.time < now - rule_records.KEPT][:room]
        for pair in old:
            del self._repetitions[pair]
        return len(answers) + len(old)

    def answer(self, question: RuleQuestion) -> Any:
        """Return what is asked for."""
        match question:
            case AnswersTo(keys):
                return {key: self._answers[key].text for key in keys if key in self._answers}
            case NextTaskDue(kinds):
                return min((task.due for task in self._open(kinds)), default=None)
            case OpenTasks():
                return dict(Counter(task.kind for task in self._tasks.values() if task.state in _OPEN))
            case TaskSearch():
                return self._page(question)
            case _:
                return self._count(question)

    def _count(self, question: ScoreTotals | ScoreSearch | SequencesNamed | RepetitionsOf) -> Any:
        match question:
            case ScoreTotals(actor_ids):
                return {actor_id: self._totals[actor_id] for actor_id in actor_ids if actor_id in self._totals}
            case ScoreSearch(after, limit, actor_id):
                found = [each for each in self._scores.values() if each.number > after]
                return [each for each in found if actor_id in (None, each.actor_id)][:limit]
            case SequencesNamed(names):
                return {name: self._sequences[name] for name in names if name in self._sequences}
            case RepetitionsOf(root):
                return self._repetitions_of(root)

    def _repetitions_of(self, root: str) -> Mapping[str, int]:
        return {element: noted.value for (first, element), noted in self._repetitions.items() if first == root}

    def _page(self, page: TaskSearch) -> Sequence[Task]:
        kind, state, after, limit, descending = page.query
        assert after is not None, "the front says one"
        found = [
            self._tasks[number]
            for number in sorted(self._tasks, reverse=descending)
            if (number < after if descending else number > after)
        ]
        found = [task for task in found if kind in (None, task.kind) and state in (None, task.state)]
        return fitting(found[:limit], lambda task: task.size, page.room, at_least=1)[0]

    def _open(self, kinds: Sequence[str]) -> Sequence[Task]:
        return [task for task in self._tasks.values() if task.kind in kinds and task.state in _OPEN]
