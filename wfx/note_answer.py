"""Interface between what answers requests and what counts the answers."""

from __future__ import annotations

from collections.abc import Callable

from starlette.types import Scope

NoteAnswer = Callable[[Scope, int], None]
"""Counts a request that is answered with this status."""


def ignore_answer(_scope: Scope, _status: int) -> None:
    """Count nothing."""
