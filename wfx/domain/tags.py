"""Decisions to add and remove tags of a job (rest-api section 9.5)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from wfx.domain.errors import TooManyTags
from wfx.domain.job import Action, Change, Job
from wfx.domain.json import Json, decode, encode

MOST_TAGS = 1024
"""Tags that a job may have; they are in every list that shows the job."""
MOST_BYTES = 128 * 1024
"""Bytes that the tags of a job may have together, as JSON."""


def add(job: Job, tags: Sequence[str]) -> Change:
    """Add the tags; those that are there already stay as they are. Raises TooManyTags."""
    present = set(decode(job.tags))
    change = _retagged(job, Action.ADD_TAGS, present.union(tags))
    if change.tags != job.tags:
        require_few(change.tags)
    return change


def remove(job: Job, tags: Sequence[str]) -> Change:
    """Remove the tags; those that are not there are ignored."""
    return _retagged(job, Action.DELETE_TAGS, set(decode(job.tags)).difference(tags))


def ordered(tags: Iterable[str]) -> Json:
    """Encode the tags without duplicates, sorted bytewise: the order of code points is the order of UTF-8 bytes."""
    return encode(sorted(set(tags)))


def require_few(tags: Json) -> None:
    """Raise TooManyTags if a job may not have these tags, which are ordered."""
    # Fewer bytes than tags allowed cannot be too many tags, so most jobs need no closer look.
    if len(tags) <= MOST_TAGS:
        return
    if len(tags) > MOST_BYTES or len(decode(tags)) > MOST_TAGS:
        raise TooManyTags(MOST_TAGS, MOST_BYTES)


def _retagged(job: Job, action: Action, tags: set[str]) -> Change:
    return Change(action, job.state, job.status, job.definition_hash, job.definition, ordered(tags))
