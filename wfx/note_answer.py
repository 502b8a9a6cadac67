"""Interface between what answers requests and what counts the answers."""

from __future__ import annotations

from asyncio import CancelledError
from collections.abc import Callable

from starlette.requests import ClientDisconnect
from starlette.types import Scope

LEFT = 499
"""Status of a request whose client left before its answer began."""

NoteAnswer = Callable[[Scope, int], None]
"""Counts a request that is answered with this status."""


def ignore_answer(_scope: Scope, _status: int) -> None:
    """Count nothing."""


def status_without_answer(error: BaseException) -> int:
    """Return what a request counts as that ends with this error before its answer began."""
    return LEFT if isinstance(error, CancelledError | ClientDisconnect) else 500
