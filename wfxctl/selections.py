"""Selections: which jobs a command is about, where it is about many (the fleet API's conditions)."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from wfx.commandline import durations
from wfx.commandline.failures import UsageFailure
from wfx.commandline.options import Kind, Option, Settings, Value
from wfxctl import job_filters

_DAYS = re.compile(r"([0-9]{1,6})d(.*)", re.DOTALL)
_YEAR_ONE = datetime(1, 1, 1, tzinfo=UTC).timestamp()


def _seconds(text: str) -> float:
    """Read a duration, which may begin with days. Raises ValueError."""
    found = _DAYS.fullmatch(text)
    days, rest = (int(found[1]), found[2]) if found else (0, text)
    seconds = days * 86_400 + (durations.parse(rest) if rest or not found else 0)
    if seconds < 0:
        raise ValueError(f'"{text}" is less than nothing')
    return seconds


def _check(value: Value) -> None:
    if value:
        _seconds(str(value))


FLEET_OPTIONS = (
    Option("client-prefix", Kind.STRING, "only jobs of clients whose ids begin with this"),
    Option("older-than", Kind.STRING, "only jobs that were created longer ago, such as 30d, 12h or 45m", check=_check),
    Option("stale", Kind.STRING, "only jobs that have not changed for so long, such as 2d, 1h30m or 45m", check=_check),
)
"""Conditions that the fleet API alone knows."""
OPTIONS = (*job_filters.OPTIONS, *FLEET_OPTIONS)
FROM_STATE = Option("from-state", Kind.STRING, "only jobs in this state", names="state")
STATUS_OPTIONS = (FROM_STATE, *(each for each in OPTIONS if each.name not in ("client-id", "state")))
"""Those of a command whose ``--client-id`` and ``--state`` say something else."""

_MEMBERS = (
    ("client-id", "clientId"),
    ("client-prefix", "clientIdPrefix"),
    ("from-state", "state"),
    ("group", "group"),
    ("older-than", "createdBefore"),
    ("stale", "modifiedBefore"),
    ("state", "state"),
    ("tag", "tag"),
    ("workflow", "workflow"),
)


def given(settings: Settings, options: tuple[Option, ...]) -> list[str]:
    """Return the names of those options that are flags of the command line.

    Nothing else makes a selection: what happens to stand in a file or a variable must not choose what is deleted.
    """
    return [option.name for option in options if settings.origin(option.name).kind == "flag"]


def selection_of(settings: Settings, options: tuple[Option, ...], now: float) -> dict[str, Any]:
    """Return the conditions on the command line; ages count back from ``now``. Raises UsageFailure for empty ones."""
    selection: dict[str, Any] = {}
    names = given(settings, options)
    for name, member in _MEMBERS:
        if name in names:
            value = settings.value(name)
            if not value:
                raise UsageFailure(f"--{name} is empty, which would be no condition")
            selection[member] = _before(now, str(value)) if name in ("older-than", "stale") else value
    return selection


def _before(now: float, age: str) -> str:
    then = max(now - _seconds(age), _YEAR_ONE)
    return datetime.fromtimestamp(then, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ").rjust(27, "0")
