"""Policy: which kinds of work have which bands, for whom; and how these are written in options.

An item is ``20/PT1M``, a capacity and the ISO 8601 duration in which as many tokens come back, for everybody together;
``client=20/PT1M`` for each client; ``workflow=20/PT1M`` for each workflow.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Self

from wfx.commandline import iso_durations
from wfx.commandline.iso_durations import MILLISECOND
from wfx.limits.asks import Ask, LimitScope, bucket_key
from wfx.limits.bucket import Band

MOST_TOKENS = 100_000_000
LONGEST_PERIOD = 366 * 86_400_000
"""Milliseconds."""
MOST_BANDS = 8
"""Bands of one scope."""


class Kind(StrEnum):
    """What is limited."""

    INSTANCE_START = "instance-start"
    """A job is created."""
    ACTIVITY_START = "activity-start"
    """A client's report moves a job into another state."""
    JOB_SCHEDULE = "job-schedule"
    """A task is put into the queue."""
    JOB_EXECUTE = "job-execute"
    """A task is run."""


_SCOPES = (LimitScope.GLOBAL, LimitScope.CLIENT, LimitScope.WORKFLOW)
"""Those that limits may have."""

Bands = Mapping[LimitScope, tuple[Band, ...]]


class Policy:
    """The bands of all kinds."""

    def __init__(self, bands: Mapping[Kind, Bands]) -> None:
        """Take the bands of the kinds that have any."""
        self.bands = bands

    @classmethod
    def parse(cls, items: Mapping[Kind, Sequence[str]]) -> Self:
        """Read the items of the options. Raises ValueError for one that is wrong."""
        return cls({kind: parse_bands(texts) for kind, texts in items.items() if texts})

    def asks(self, kind: Kind, client_id: str, workflow: str) -> tuple[Ask, ...]:
        """Return the buckets of which work needs a token; those of an unknown client or workflow are left out."""
        names = {LimitScope.GLOBAL: "", LimitScope.CLIENT: client_id, LimitScope.WORKFLOW: workflow}
        return tuple(
            Ask(bucket_key(kind, scope, names[scope]), scope, bands)
            for scope, bands in self.bands.get(kind, {}).items()
            if scope is LimitScope.GLOBAL or names[scope]
        )


def parse_bands(items: Sequence[str]) -> Bands:
    """Read the items of one option. Raises ValueError for one that is wrong by itself, or beside another one."""
    found: dict[LimitScope, list[Band]] = {}
    for item in items:
        scope, band = parse_band(item)
        bands = found.setdefault(scope, [])
        if any(each.period == band.period for each in bands):
            raise ValueError(f'"{item}" is a second limit of {scope} for the same duration')
        if len(bands) == MOST_BANDS:
            raise ValueError(f'"{item}" is one limit too many: {scope} may have {MOST_BANDS}')
        bands.append(band)
    return {scope: tuple(found[scope]) for scope in _SCOPES if scope in found}


def parse_band(item: str) -> tuple[LimitScope, Band]:
    """Read one item. Raises ValueError."""
    name, found, text = item.rpartition("=")
    if found and name not in _SCOPES:
        raise ValueError(f'"{item}" is for "{name}", which is none of {", ".join(_SCOPES)}')
    capacity, found, duration = text.partition("/")
    if not found:
        raise ValueError(f'"{item}" is no limit such as 20/PT1M: a number, a slash and a duration')
    if not re.fullmatch(r"[1-9][0-9]{0,8}", capacity, re.ASCII) or int(capacity) > MOST_TOKENS:
        raise ValueError(f'"{item}" is no limit: its number must be from 1 to {MOST_TOKENS:,}')
    return LimitScope(name or LimitScope.GLOBAL), Band(int(capacity), parse_duration(duration))


def parse_duration(text: str) -> int:
    """Return the milliseconds of an ISO 8601 duration up to weeks. Raises ValueError."""
    microseconds = iso_durations.parse(text)
    if microseconds is None or microseconds % MILLISECOND:
        raise ValueError(f'"{text}" is no ISO 8601 duration such as PT1M, PT1H30M or P1D')
    if not 0 < microseconds <= LONGEST_PERIOD * MILLISECOND:
        raise ValueError(f'"{text}" must be more than 0 and at most P366D')
    return microseconds // MILLISECOND


def shown(scope: LimitScope, band: Band) -> str:
    """Write an item as :func:`parse_band` reads it."""
    text = f"{band.capacity}/{iso_durations.show(band.period * MILLISECOND)}"
    return text if scope is LimitScope.GLOBAL else f"{scope}={text}"


def check_item(text: str) -> None:
    """Raise ValueError for an item that is wrong by itself."""
    parse_band(text)
