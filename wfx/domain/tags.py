"""Tags: the labels by which operators find jobs (rest-api section 9.5)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from wfx.domain.job import Action, Change, Job
from wfx.domain.json import Json, decode, encode


def add(job: Job, tags: Sequence[str]) -> Change:
    """Add the tags; those that are there already stay as they are."""
    return _retagged(job, Action.ADD_TAGS, {*decode(job.tags), *tags})


def remove(job: Job, tags: Sequence[str]) -> Change:
    """Remove the tags; those that are not there are ignored."""
    return _retagged(job, Action.DELETE_TAGS, set(decode(job.tags)).difference(tags))


def ordered(tags: Iterable[str]) -> Json:
    """Encode the tags without duplicates, sorted bytewise: the order of code points is the order of UTF-8 bytes."""
    return encode(sorted(set(tags)))


def _retagged(job: Job, action: Action, tags: set[str]) -> Change:
    return Change(action, job.state, job.status, job.definition_hash, job.definition, ordered(tags))
