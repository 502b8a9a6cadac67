"""What can be asked of the store, and how answers come in pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Paging:
    """Which part of a result: as the API takes it (rest-api section 6)."""

    offset: int = 0
    """Items to leave out; negative acts like 0."""
    limit: int = 10
    """Items at most; 0 or negative means all."""
    descending: bool = False
    with_total: bool = False
    """Count all matching items too."""


@dataclass(frozen=True, slots=True)
class JobQuery:
    """Which jobs: all given conditions must hold; an empty value sets no condition."""

    client_id: str = ""
    state: str = ""
    workflow: str = ""
    groups: tuple[str, ...] = ()
    """Any of these; the empty string stands for "in no group"."""
    tags: tuple[str, ...] = ()
    """At least one of these."""
    paging: Paging = Paging()


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """One page of a result."""

    items: tuple[Item, ...]
    total: int | None = None
    """How many match in all; None unless it was asked for."""
