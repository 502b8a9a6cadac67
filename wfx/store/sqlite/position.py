"""Where the log and the numbers given to rows stand."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from wfx.store.sqlite.statements import SQL


@dataclass(frozen=True, slots=True)
class Position:
    """What is durable, as numbers."""

    head: int
    horizon: int
    """The newest event that was pruned."""
    last_job: int
    """The highest number of a job."""
    last_entry: int
    """The highest number of a history entry."""
    log_id: str

    @classmethod
    def read(cls, connection: sqlite3.Connection) -> Position:
        """Take it from the tables."""
        head, horizon, last_job, last_entry, log_id = connection.execute(SQL["position"]).fetchone()
        # When everything was pruned, only the horizon remembers how far the numbers had come.
        return cls(max(head, horizon), horizon, last_job, last_entry, log_id)
