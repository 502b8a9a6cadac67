"""Which events from outside are done in one transaction, and what it writes."""

from __future__ import annotations

from collections.abc import Sequence

from wfx.store.operations import TakeEvent
from wfx.store.rule_records import RuleRecords


class Apart(Exception):
    """The events of a batch are to be done one by one; nothing was written."""


def together(events: Sequence[TakeEvent]) -> tuple[Sequence[TakeEvent], RuleRecords]:
    """Return those that one transaction can do, the first one among them, with the records of all.

    Left out are events whose id came before, and those that have seen a sequence before it was drawn from.
    """
    chosen: dict[str, TakeEvent] = {}
    drawn: dict[str, tuple[int, int]] = {}
    times: dict[tuple[str, str], int] = {}
    for event in events:
        wanted = event.records.sequences
        if event.key in chosen or any(drawn[name][1] != wanted[name][0] for name in drawn.keys() & wanted.keys()):
            continue
        chosen[event.key] = event
        for name, (before, after) in wanted.items():
            drawn[name] = (drawn.get(name, (before, after))[0], after)
        for pair, count in event.records.repetitions.items():
            times[pair] = max(times.get(pair, 0), count)
    found = [*chosen.values()]
    tasks = [task for event in found for task in event.records.tasks]
    scores = [entry for event in found for entry in event.records.scores]
    return found, RuleRecords(tasks, scores, drawn, times)


def brings_much(event: TakeEvent, small: int) -> bool:
    """Tell whether an event brings more than so many bytes."""
    tasks = sum(len(task.input) for task in event.records.tasks)
    return tasks + sum(getattr(operation, "size", 0) for operation in event.operations) > small
