"""Selections: which jobs a command is about, where it is about many (the fleet API's conditions)."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from wfx.commandline import durations
from wfx.commandline.failures import UsageFailure
from wfx.commandline.options import Kind, Option, Settings, Value
from wfxctl import job_filters
from wfxctl.invocation import Query

_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,20})?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_YEAR_ONE = datetime(1, 1, 1, tzinfo=UTC).timestamp()


def seconds(text: str) -> float:
    """Read an age. Raises ValueError."""
    total = durations.parse(text, "age", "45m, 12h or 30d")
    if total < 0:
        raise ValueError(f'invalid age "{text}": it must not be negative')
    return total


def _check_age(value: Value) -> None:
    if value:
        seconds(str(value))


def _check_moment(value: Value) -> None:
    if value and not _MOMENT.fullmatch(str(value)):
        raise ValueError("it must be a moment such as 2026-07-01T08:00:00Z or 2026-07-01T10:00:00+02:00")


def _moment(name: str, what: str, *synonyms: str) -> Option:
    summary = f"only jobs that were {what}, such as 2026-07-01T08:00:00Z"
    return Option(name, Kind.STRING, summary, check=_check_moment, synonyms=synonyms)


_AGES = ("older-than", "stale")
FLEET_OPTIONS = (
    Option("all-tags", Kind.STRINGS, "only jobs that have each of these tags"),
    Option("client-prefix", Kind.STRING, "only jobs of clients whose ids begin with this"),
    _moment("created-after", "created at this moment or later", "newer", "newer-than", "younger-than", "since"),
    _moment("created-before", "created before this moment"),
    _moment("modified-after", "last changed at this moment or later"),
    _moment("modified-before", "last changed before this moment"),
    Option(
        "older-than",
        Kind.STRING,
        "only jobs that were created longer ago, such as 30d, 12h or 45m",
        check=_check_age,
        synonyms=("older", "age"),
    ),
    Option(
        "stale",
        Kind.STRING,
        "only jobs that have not changed for so long, in state, progress, tags or anything else, such as 2d or 45m",
        check=_check_age,
        synonyms=("unchanged-for", "unchanged", "stuck"),
    ),
)
"""Conditions that the fleet API alone knows."""
OPTIONS = (*job_filters.OPTIONS, *FLEET_OPTIONS)
FROM_STATE = Option("from-state", Kind.STRING, "only jobs in this state", names="state")
STATUS_OPTIONS = (FROM_STATE, *(each for each in OPTIONS if each.name not in ("client-id", "state")))
"""Those of a command whose ``--client-id`` and ``--state`` say something else."""

_MEMBERS = {
    "all-tags": "allTags",
    "client-id": "clientId",
    "client-prefix": "clientIdPrefix",
    "created-after": "createdAfter",
    "created-before": "createdBefore",
    "from-state": "state",
    "modified-after": "modifiedAfter",
    "modified-before": "modifiedBefore",
    "older-than": "createdBefore",
    "stale": "modifiedBefore",
}
"""Conditions whose names in the API are others."""


def given(settings: Settings, options: tuple[Option, ...]) -> list[str]:
    """Return the names of those options that are flags of the command line.

    Nothing else makes a selection: what happens to stand in a file or a variable must not choose what is deleted.
    """
    return [option.name for option in options if settings.is_flag(option.name)]


def selection_of(settings: Settings, options: tuple[Option, ...], now: float) -> dict[str, Any]:
    """Return the conditions on the command line; ages count back from ``now``. Raises UsageFailure for empty ones."""
    refuse_empty(settings, options)
    return _members(settings, given(settings, options), now)


def parameters_of(settings: Settings, now: float) -> Query:
    """Return the conditions for a list, which files and variables may set, too. Raises as :func:`selection_of`."""
    from wfx.client.selection import joined  # only lists need it

    refuse_empty(settings, OPTIONS)
    members = _members(settings, [option.name for option in OPTIONS if settings.value(option.name)], now)
    return [(name, joined(value) if isinstance(value, list) else value) for name, value in members.items()]


def refuse_empty(settings: Settings, options: tuple[Option, ...]) -> None:
    """Raise UsageFailure for conditions on the command line that are none: ``--tag "$TAG"`` must not mean all jobs."""
    for name in given(settings, options):
        value = settings.value(name)
        if not value:
            raise UsageFailure(f"--{name} is empty, which would be no condition")
        if isinstance(value, list) and "" in value:
            raise UsageFailure(f"--{name} has an empty item")


def _members(settings: Settings, names: list[str], now: float) -> dict[str, Any]:
    members: dict[str, Any] = {}
    chosen: dict[str, str] = {}
    for name in names:
        member = _MEMBERS.get(name, name)
        if member in members:
            raise UsageFailure(f"--{chosen[member]} and --{name} exclude each other")
        value = settings.value(name)
        chosen[member], members[member] = name, _before(now, str(value)) if name in _AGES else value
    return members


def _before(now: float, age: str) -> str:
    then = max(now - seconds(age), _YEAR_ONE)
    return datetime.fromtimestamp(then, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ").rjust(27, "0")
