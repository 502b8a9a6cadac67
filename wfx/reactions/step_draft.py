"""Draft of a step: the effects of some events in a row, to be done in one transaction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from wfx.reactions.effects import ActionResult, Effects, NewJob, Outcome
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
    first: int
    """The place of its first operation."""


class StepDraft:
    """What is to be done, and up to which event."""

    def __init__(self, store: FactStore, upto: int) -> None:
        """Begin with nothing."""
        self.facts = GatheredFacts(store)
        """As they are with what is in the draft."""
        self.upto = upto
        """The newest event that was looked at."""
        self.operations: list[JobOperation] = []
        self.starts: list[NewJob] = []
        """The jobs that are to be created."""
        self._parts: list[_Part] = []
        self._changed: set[str] = set()
        self._bytes = 0
        self._tasks = 0

    def __len__(self) -> int:
        """Count the events that have effects, or results."""
        return len(self._parts)

    @property
    def is_full(self) -> bool:
        """Whether it is time to do it."""
        is_large = len(self.operations) + self._tasks >= MOST_OPERATIONS or self._bytes >= MOST_BYTES
        return is_large or len(self._parts) >= MOST_EVENTS

    def changes(self, job_id: str) -> bool:
        """Tell whether it has a change of a job."""
        return job_id in self._changed

    @property
    def records(self) -> RuleRecords:
        """What is to be written beside the operations."""
        return joined(part.effects.records for part in self._parts)

    def add(self, event: Event, effects: Effects, root: int | None) -> None:
        """Add what an event brings about, in the chain that ``root`` began."""
        self._parts.append(_Part(event, root, effects, len(self.operations)))
        self.operations += effects.operations
        self.starts += effects.starts
        self._changed.update(each.job_id for each in effects.operations if isinstance(each, ChangeJob))
        self._bytes += sum(getattr(each, "size", 0) for each in effects.operations)
        self._bytes += sum(len(task.input) for task in effects.records.tasks)
        self._tasks += len(effects.records.tasks)
        self.facts.note(effects)

    def results(self, answers: Sequence[Any]) -> Iterator[tuple[Event, int | None, Sequence[ActionResult]]]:
        """Return what became of the actions for each event and root, of what the store returned."""
        for event, root, effects, first in self._parts:
            yield event, root, effects.answers(answers[first : first + len(effects.operations)])

    def failed(self, reason: str) -> Iterator[tuple[Event, int | None, Sequence[ActionResult]]]:
        """Return that all actions that were to be done have failed."""
        for event, root, results in self.results([None] * len(self.operations)):
            yield event, root, [_failed(result, reason) if result.success else result for result in results]


def _failed(result: ActionResult, reason: str) -> ActionResult:
    return result._replace(success=False, message=reason, outcome=Outcome.FAILED)
