"""Selections: which jobs an operation is about, in the words of the fleet API."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import Any

_WORDS = {
    "groups": "group",
    "tags": "tag",
    "client_id": "clientId",
    "all_tags": "allTags",
    "client_id_prefix": "clientIdPrefix",
    "created_after": "createdAfter",
    "created_before": "createdBefore",
    "modified_after": "modifiedAfter",
    "modified_before": "modifiedBefore",
    "unchanged_for": "unchangedFor",
}
"""Members whose names on the wire are others."""


_LISTS = ("groups", "tags", "all_tags")
_KINDS: dict[str, type] = {
    **dict.fromkeys(("created_after", "created_before", "modified_after", "modified_before"), datetime),
    "unchanged_for": timedelta,
}
_EXAMPLES: dict[type, str] = {
    datetime: "a datetime with a time zone, such as datetime.now(UTC)",
    timedelta: "a timedelta, such as timedelta(minutes=5)",
}


@dataclass(frozen=True, slots=True)
class Selection:
    """Jobs that meet all of these conditions; what is empty or None is no condition."""

    client_id: str = ""
    client_id_prefix: str = ""
    workflow: str = ""
    state: str = ""
    groups: Sequence[str] = ()
    """The state is in one of these groups; ``(none)`` stands for states that are in no group."""
    tags: Sequence[str] = ()
    """The job has at least one of these tags."""
    all_tags: Sequence[str] = ()
    """The job has each of these tags."""
    created_after: datetime | None = None
    """Created at this moment or later; all moments need a time zone."""
    created_before: datetime | None = None
    modified_after: datetime | None = None
    modified_before: datetime | None = None
    unchanged_for: timedelta | None = None
    """Not changed for so long, by the server's clock; a tag counts as a change, as whatever is new of a job does."""

    def __post_init__(self) -> None:
        """Raise TypeError for a condition of the wrong kind."""
        for each in fields(self):
            value = getattr(self, each.name)
            if each.name in _LISTS:
                if isinstance(value, str):
                    listed(value)
            elif value is not None and not isinstance(value, _KINDS.get(each.name, str)):
                example = _EXAMPLES.get(_KINDS.get(each.name, str), "a text")
                raise TypeError(f"{each.name} must be {example}, and not {value!r}")

    def members(self) -> dict[str, Any]:
        """Return the conditions as the body of a request has them. Raises ValueError for a moment without a zone."""
        return {name: _written(value) for name, value in self._conditions()}

    def parameters(self) -> list[tuple[str, str]]:
        """Return the conditions as a query has them. Raises ValueError for a moment without a time zone."""
        written = self.members()
        return [(name, joined(value) if isinstance(value, list) else value) for name, value in written.items()]

    def _conditions(self) -> Iterator[tuple[str, Any]]:
        for each in fields(self):
            value = getattr(self, each.name)
            if value or isinstance(value, timedelta):
                yield _WORDS.get(each.name, each.name), value


def _written(value: Any) -> str | list[str]:
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, timedelta):
        return duration(value)
    return value if isinstance(value, str) else list(value)


def moment(when: datetime) -> str:
    """Write a moment. Raises ValueError for one without a time zone."""
    if when.tzinfo is None:
        raise ValueError(f"{when} has no time zone, such as datetime.UTC")
    return when.astimezone(UTC).isoformat().replace("+00:00", "Z")


def duration(length: timedelta) -> str:
    """Write a duration. Raises ValueError for one below zero."""
    if length < timedelta():
        raise ValueError(f"{length} is less than nothing")
    micros = length // timedelta(microseconds=1)
    seconds, micros = divmod(micros, 1_000_000)
    return f"PT{seconds}.{micros:06}S" if micros else f"PT{seconds}S"


def listed(words: Iterable[str]) -> list[str]:
    """Return words as a list. Raises TypeError for a text, which is one word and not its letters."""
    if isinstance(words, str):
        raise TypeError(f"give a list of words, such as [{words!r}]")
    return list(words)


def joined(items: Iterable[str]) -> str:
    """Write a list for a query: a comma that belongs to an item separates nothing (spec/fleet.openapi.yml)."""
    return ",".join(item.replace("\\", "\\\\").replace(",", "\\,") for item in items)
