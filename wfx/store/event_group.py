"""Events from outside that are done together: one transaction for all takes as long as one for each."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import chain

from wfx.domain.errors import SequenceTaken
from wfx.store.operations import EventAnswers, JobOperation, TakeEvent
from wfx.store.rule_records import joined


class EventGroup:
    """Those of some events that have no answer, and that fit what sequences are after the ones before, in order."""

    def __init__(self, events: Sequence[TakeEvent], answered: Collection[str], present: Mapping[str, int]) -> None:
        """Choose; ``answered`` are the keys that have an answer, ``present`` is what sequences are now."""
        self.taken: dict[str, TakeEvent] = {}
        """The events to do, by their keys."""
        self.refused: dict[int, SequenceTaken] = {}
        """By the place of an event, why it cannot be done as it was decided."""
        self._after = dict(present)
        for place, event in enumerate(events):
            if event.key not in answered and event.key not in self.taken:
                self._choose(place, event)

    def _choose(self, place: int, event: TakeEvent) -> None:
        wanted = event.records.sequences
        if any(self._after.get(name, 0) != before for name, (before, _) in wanted.items()):
            self.refused[place] = SequenceTaken(", ".join(wanted))
            return
        self._after.update((name, after) for name, (_, after) in wanted.items())
        self.taken[event.key] = event

    @property
    def operations(self) -> Sequence[JobOperation]:
        """The operations of all events, in order."""
        return [*chain.from_iterable(event.operations for event in self.taken.values())]

    def checkpoint(self, answers: Mapping[str, str]) -> EventAnswers:
        """Say what to write beside the operations, with the answers to the events by their keys."""
        together = joined(event.records for event in self.taken.values())
        kept = chain.from_iterable(self.taken[key].kept(answer) for key, answer in answers.items())
        return EventAnswers([*kept], together, max(event.now for event in self.taken.values()))
