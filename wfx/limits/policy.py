"""Policy: which kinds of work have which bands, for whom; and how these are written in options.

An item is ``20/PT1M``, a capacity and the ISO 8601 duration in which as many tokens come back, for everybody together;
``client=20/PT1M`` for each client; ``workflow=20/PT1M`` for each workflow.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from hashlib import sha256
from typing import NamedTuple, Self

from wfx.limits.bucket import Band

MOST_TOKENS = 100_000_000
LONGEST_PERIOD = 366 * 86_400_000
"""Milliseconds."""
MOST_BANDS = 8
"""Bands of one scope."""
_LONGEST_NAME = 255
_DURATION = re.compile(
    r"P(?:(\d{1,9})W)?(?:(\d{1,9})D)?(T(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,9})(?:[.,](\d{1,3}))?S)?)?", re.ASCII
)
_UNITS = (7 * 86_400_000, 86_400_000, 3_600_000, 60_000, 1000)
"""Milliseconds of what a duration has numbers of."""


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


class Scope(StrEnum):
    """Who shares a bucket."""

    GLOBAL = "global"
    """All."""
    CLIENT = "client"
    """All work for one client."""
    WORKFLOW = "workflow"
    """All jobs of one workflow."""


_SCOPES = tuple(map(str, Scope))


class Ask(NamedTuple):
    """A bucket that a token is wanted of."""

    key: str
    scope: Scope
    bands: tuple[Band, ...]


Bands = Mapping[Scope, tuple[Band, ...]]


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
        return tuple(
            Ask(bucket_key(kind, scope, name), scope, bands)
            for scope, bands in self.bands.get(kind, {}).items()
            if (name := {Scope.CLIENT: client_id, Scope.WORKFLOW: workflow}.get(scope, "")) or scope is Scope.GLOBAL
        )


def bucket_key(kind: Kind, scope: Scope, name: str) -> str:
    """Return the key of a bucket: text of bounded length that each database takes."""
    if len(name) > _LONGEST_NAME or not name.isprintable():
        name = sha256(name.encode(errors="surrogatepass")).hexdigest()
    return f"{kind} {scope} {name}"


def parse_bands(items: Sequence[str]) -> Bands:
    """Read the items of one option. Raises ValueError for one that is wrong by itself, or beside another one."""
    found: dict[Scope, list[Band]] = {}
    for item in items:
        scope, band = parse_band(item)
        bands = found.setdefault(scope, [])
        if any(each.period == band.period for each in bands):
            raise ValueError(f'"{item}" is a second limit of {scope} for the same duration')
        if len(bands) == MOST_BANDS:
            raise ValueError(f'"{item}" is one limit too many: {scope} may have {MOST_BANDS}')
        bands.append(band)
    return {scope: tuple(found[scope]) for scope in Scope if scope in found}


def parse_band(item: str) -> tuple[Scope, Band]:
    """Read one item. Raises ValueError."""
    name, found, text = item.rpartition("=")
    if found and name not in _SCOPES:
        raise ValueError(f'"{item}" is for "{name}", which is none of {", ".join(_SCOPES)}')
    capacity, found, duration = text.partition("/")
    if not found:
        raise ValueError(f'"{item}" is no limit such as 20/PT1M: a number, a slash and a duration')
    if not re.fullmatch(r"[1-9][0-9]{0,8}", capacity, re.ASCII) or int(capacity) > MOST_TOKENS:
        raise ValueError(f'"{item}" is no limit: its number must be from 1 to {MOST_TOKENS:,}')
    return Scope(name or Scope.GLOBAL), Band(int(capacity), parse_duration(duration))


def parse_duration(text: str) -> int:
    """Return the milliseconds of an ISO 8601 duration of weeks, days, hours, minutes and seconds. Raises ValueError."""
    found = _DURATION.fullmatch(text)
    if found is None or text[-1] in "PT":
        raise ValueError(f'"{text}" is no ISO 8601 duration such as PT1M, PT1H30M or P1D')
    weeks, days, _, hours, minutes, seconds, fraction = found.groups()
    numbers = (int(number or 0) for number in (weeks, days, hours, minutes, seconds))
    total = sum(number * unit for number, unit in zip(numbers, _UNITS, strict=True))
    total += int((fraction or "0").ljust(3, "0"))
    if not 0 < total <= LONGEST_PERIOD:
        raise ValueError(f'"{text}" must be more than 0 and at most P366D')
    return total


def show_duration(milliseconds: int) -> str:
    """Write an ISO 8601 duration."""
    text, time = "P", ""
    for unit, letter in zip(_UNITS[1:], "DHMS", strict=True):
        number, milliseconds = divmod(milliseconds, unit)
        shown = f"{number}.{milliseconds:03}".rstrip("0") if letter == "S" and milliseconds else str(number or "")
        if shown:
            if letter == "D":
                text += shown + letter
            else:
                time += shown + letter
    return f"{text}T{time}" if time else text


def shown(scope: Scope, band: Band) -> str:
    """Write an item as :func:`parse_band` reads it."""
    text = f"{band.capacity}/{show_duration(band.period)}"
    return text if scope is Scope.GLOBAL else f"{scope}={text}"


def check_item(text: str) -> None:
    """Raise ValueError for an item that is wrong by itself."""
    parse_band(text)
