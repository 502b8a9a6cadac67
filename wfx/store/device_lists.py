"""What lists of devices have in common: how much is looked at for one page, and where that ends.

A device is a client that has a row of its own, since it was seen or described, or that has jobs. So none is written for
a job, and what is known of a client by its jobs is always what they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from wfx.domain.device import LONGEST_ID, DeviceQuery
from wfx.store.prefixes import successor

LOOKED_AT = 500
"""Devices that are looked at for one page: a condition that few fulfil costs no more than this."""
NEWEST_JOBS = 100
"""Jobs of a client among which its present one and its last result are looked for."""
MOST_UNCLAIMED = 10_000
"""Devices that are kept without any job or description: whoever can reach the service can make them up."""
UNCLAIMED_AGE = 86_400_000_000
"""Microseconds without a sign of life after which such a device makes room for others."""
_LAST = "\U0010ffff"


class Candidate(NamedTuple):
    """What is looked at of a device."""

    client_id: str
    last_seen: int | None = None
    version: str = ""
    has_keys: bool = True
    """Whether it has all keys of the query."""


class IdRange(NamedTuple):
    """The ids from a lower bound on, that may be one of them or not, and before an upper one."""

    low: str
    comparison: str
    """``>`` or ``>=``."""
    high: str


def is_id(client_id: str) -> bool:
    """Tell whether a client with this id is a device."""
    return 0 < len(client_id) <= LONGEST_ID and "\0" not in client_id


def id_range(query: DeviceQuery) -> IdRange:
    """Return the ids that may be on the page."""
    low, comparison, high = query.prefix, ">=", successor(query.prefix) or _LAST * (LONGEST_ID + 1)
    if query.after is not None and query.descending:
        high = min(high, query.after)
    elif query.after is not None and query.after >= low:
        low, comparison = query.after, ">"
    return IdRange(low, comparison, high)


def most_candidates(query: DeviceQuery, *, indexed: bool) -> int:
    """Return how many devices are looked at for a page; ``indexed`` tells that each has all of the query's keys."""
    return query.limit + 1 if indexed and not query.needs_rows else max(LOOKED_AT, query.limit + 1)


def first_of_both(query: DeviceQuery, known: Iterable[Candidate], clients: Iterable[str], most: int) -> list[Candidate]:
    """Return the first of devices with rows and of clients of jobs, both the first ones in order."""
    found = {client_id: Candidate(client_id) for client_id in clients}
    found.update((each.client_id, each) for each in known)
    return [found[client_id] for client_id in sorted(found, reverse=query.descending)[:most]]


def page_of(query: DeviceQuery, candidates: Sequence[Candidate], most: int) -> tuple[list[str], str | None]:
    """Return the ids of a page, and where the next one begins; ``most`` candidates were looked for."""
    found = [each.client_id for each in candidates if _accepts(query, each)]
    if len(found) > query.limit:
        return found[: query.limit], found[query.limit - 1]
    return found, _behind(candidates[-1].client_id, query) if len(candidates) >= most else None


def _behind(client_id: str, query: DeviceQuery) -> str:
    """Return where the next page begins: behind a candidate; for too long an id, behind all that begin like it."""
    beginning = client_id[: LONGEST_ID + 1]
    if len(beginning) <= LONGEST_ID or query.descending:
        return beginning
    behind = successor(beginning) or ""
    return behind if len(behind) > LONGEST_ID else client_id  # a shorter one may be a device


def _accepts(query: DeviceQuery, candidate: Candidate) -> bool:
    seen = query.seen.since if candidate.last_seen is None and not query.only_seen else candidate.last_seen
    return (
        is_id(candidate.client_id)
        and candidate.has_keys
        and seen is not None
        and query.seen.since <= seen < query.seen.until
        and query.version in ("", candidate.version)
    )
