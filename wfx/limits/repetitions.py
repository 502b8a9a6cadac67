"""Repetitions: how often a job has entered or reported each of its states, counted from its history."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from wfx.domain.job import Job
from wfx.domain.json import Json, decode
from wfx.domain.workflow import Workflow

_STATE = b'"state":"'
_HASH = re.compile(rb'"definitionHash":"[0-9a-f]*",?')


@dataclass(slots=True)
class Reports:
    """Reports of a job, seen from a later one to earlier ones; one that is as the one before it counts once with it."""

    workflow: Workflow
    counts: Counter[str] = field(default_factory=Counter)
    """How often each state was entered or reported. States that lead on at once count where they lead to."""
    newest: bytes = b""
    """What was said by the latest one."""
    oldest: bytes = b""
    """What was said by the earliest one."""

    def add_earlier(self, statuses: Iterable[Json]) -> None:
        """See what the job's status was before, the later ones first."""
        for status in statuses:
            state = _state_of(status)
            if self.workflow.settle(state) == state and (said := _said(status)) != self.oldest:
                self.newest = self.newest or said
                self.oldest = said
                self.counts[state] += 1

    def followed_by(self, later: Reports) -> Reports:
        """Return these and later ones."""
        counts = self.counts + later.counts
        if self.newest == later.oldest:
            counts[_state_of(Json(self.newest))] -= 1
        return Reports(self.workflow, counts, later.newest or self.newest, self.oldest)


def is_new(job: Job, status: Json) -> bool:
    """Tell whether a status is another report than the present one; the definition's hash is none of it."""
    return status != job.status and _said(status) != _said(job.status)


def _said(status: Json) -> bytes:
    """Return what of a status is reported: all but the hash of the definition, which comes after any context."""
    place = status.rfind(b'"definitionHash":"')
    return status if place < 0 else status[:place] + _HASH.sub(b"", status[place:], count=1)


def _state_of(status: Json) -> str:
    """Return the state of a status: its last member, in what is stored."""
    place = status.rfind(_STATE)
    end = len(status) - len(b'"}')
    name = status[place + len(_STATE) : end]
    if place < 0 or status[end:] != b'"}' or b'"' in name or b"\\" in name:
        state: str = decode(status)["state"]
        return state
    return name.decode()
