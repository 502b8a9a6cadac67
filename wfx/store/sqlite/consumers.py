"""Consumers' places on the log, and leases, as rows."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from wfx.domain.errors import StepTaken
from wfx.domain.timestamp import Timestamp
from wfx.store.operations import TakeLease, TakeStep
from wfx.store.protocol import Consumer, Lease
from wfx.store.sqlite.statements import SQL


def open_one(connection: sqlite3.Connection, name: str, head: int) -> Consumer:
    """Return the consumer; a new one begins at the head."""
    connection.execute(SQL["create_consumer"], (name, head))
    return Consumer(*connection.execute(SQL["consumer"], (name,)).fetchone())


def read_all(connection: sqlite3.Connection) -> Sequence[Consumer]:
    """Return all consumers by name."""
    return [Consumer(*row) for row in connection.execute(SQL["consumers"])]


def move(connection: sqlite3.Connection, step: TakeStep) -> None:
    """Move the place of the step's consumer. Raises StepTaken if that is elsewhere, or has taken the step."""
    if not connection.execute(SQL["move_consumer"], (step.upto, step.consumer, step.after, step.number)).fetchall():
        raise StepTaken(step.consumer, step.after, step.number)


def last_to_prune(connection: sqlite3.Connection, wanted: int, at_least: int) -> int:
    """Return how far to prune so that no consumer loses an event behind ``at_least``."""
    (slowest,) = connection.execute(SQL["slowest_consumer"]).fetchone()
    return wanted if slowest is None else min(wanted, max(slowest, at_least))


def move_to_horizon(connection: sqlite3.Connection, horizon: int) -> None:
    """Let consumers that are not so far go on behind what is pruned, and note how much they lose."""
    connection.execute(SQL["lose_events"], (horizon,))


def take_lease(connection: sqlite3.Connection, operation: TakeLease, now: int) -> Lease | None:
    """Take or renew the lease, unless another holder has it."""
    until = Timestamp(now + operation.ttl)
    values = (operation.name, operation.holder, until, now, operation.latest_end(now))
    rows = connection.execute(SQL["take_lease"], values).fetchall()
    return Lease(operation.name, operation.holder, rows[0][0], until) if rows else None


def end_leases(connection: sqlite3.Connection, holder: str) -> None:
    """End the leases that this holder has."""
    connection.execute(SQL["end_leases"], (holder,))
