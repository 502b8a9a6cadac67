"""Settings of the storage beside the place where the data is."""

from __future__ import annotations

from dataclasses import dataclass

from wfx.protection.sealing import Sealing


@dataclass(frozen=True, slots=True)
class StorageSettings:
    """What options say about databases on servers; files need nothing of it but the keys."""

    pooler: bool = False
    """Whether a pooler of transactions is in between, where no session is ours for longer than a transaction."""
    listen_dsn: str = ""
    """Where notifications are heard, if not where the data is."""
    may_lose_commits: bool = False
    """Whether a server may answer commits before they are on disk."""
    search_connections: int = 2
    """How many searches may run at once."""
    search_timeout: float = 60.0
    """How long the server may work on a search, in seconds."""
    sealing: Sealing | None = None
    """Keys that values are sealed with; None if all are plain."""


DEFAULTS = StorageSettings()
