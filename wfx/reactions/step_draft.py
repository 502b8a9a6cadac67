"""Draft of a step: the effects of some events in a row, to be done in one transaction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from wfx.reactions.admission import Admission, Pause
from wfx.reactions.effects import ActionResult, Effects, Outcome
from wfx.reactions.facts import GatheredFacts
from wfx.rules.event import Event
from wfx.store.operations import ChangeJob, JobOperation
from wfx.store.rule_protocol import FactStore
from wfx.store.rule_records import RuleRecords, joined

MOST_EVENTS = 64
MOST_OPERATIONS = 128
MOST_BYTES = 512 * 1024


class _Part(NamedTuple):
    event: Event
    root: int | None
    """The number of the event that began the chain, if it is one of the log."""
    effects: Effects


class StepDraft:
    """What is to be done, and up to which event."""

    def __init__(self, store: FactStore, upto: int) -> None:
        """Begin with nothing."""
        self.facts = GatheredFacts(store)
        """As they are with what is in the draft."""
        self.upto = upto
        """The newest event that was looked at."""
        self._parts: list[_Part] = []
        self._changed: set[str] = set()
        self._bytes = 0
        self._size = 0
        """Operations and tasks."""

    def __len__(self) -> int:
        """Count the events that have effects, or results."""
        return len(self._parts)

    @property
    def is_full(self) -> bool:
        """Whether it is time to do it."""
        is_large = self._size >= MOST_OPERATIONS or self._bytes >= MOST_BYTES
        return is_large or len(self._parts) >= MOST_EVENTS

    def changes(self, job_id: str) -> bool:
        """Tell whether it has a change of a job."""
        return job_id in self._changed

    @property
    def operations(self) -> Sequence[JobOperation]:
        """What is to be done to jobs."""
        return [operation for part in self._parts for operation in part.effects.operations]

    @property
    def records(self) -> RuleRecords:
        """What is to be written beside the operations."""
        return joined(part.effects.records for part in self._parts)

    def add(self, event: Event, effects: Effects, root: int | None) -> None:
        """Add what an event brings about, in the chain that ``root`` began."""
        self._parts.append(_Part(event, root, effects))
        operations, tasks = effects.operations, effects.records.tasks
        self._changed.update(each.job_id for each in operations if isinstance(each, ChangeJob))
        self._bytes += sum(getattr(each, "size", 0) for each in operations) + sum(len(each.input) for each in tasks)
        self._size += len(operations) + len(tasks)
        self.facts.note(effects)

    async def admit(self, admission: Admission, pause: Pause) -> None:
        """Take the tokens that are needed; actions that lack one become tasks, or are waited for."""
        for place, part in enumerate(self._parts):
            self._parts[place] = part._replace(effects=await admission.admit(part.effects, pause))

    def note_done(self, admission: Admission) -> None:
        """Note that all of it was done."""
        for part in self._parts:
            admission.note_done(part.effects)

    async def note_undone(self, admission: Admission) -> None:
        """Note that it is not done, and will not be."""
        for part in self._parts:
            await admission.note_undone(part.effects)

    def results(self, answers: Sequence[Any]) -> Iterator[tuple[Event, int | None, Sequence[ActionResult]]]:
        """Return what became of the actions for each event and root, of what the store returned."""
        first = 0
        for event, root, effects in self._parts:
            count = len(effects.operations)
            yield event, root, effects.answers(answers[first : first + count])
            first += count

    def failed(self, reason: str) -> Iterator[tuple[Event, int | None, Sequence[ActionResult]]]:
        """Return that all actions that were to be done have failed."""
        for event, root, results in self.results([None] * len(self.operations)):
            yield event, root, [_failed(result, reason) if result.success else result for result in results]


def _failed(result: ActionResult, reason: str) -> ActionResult:
    return result._replace(success=False, message=reason, outcome=Outcome.FAILED)
