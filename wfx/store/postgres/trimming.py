"""Drops the middle of a history that is too long or too large (:mod:`wfx.store.history_bounds` tells which entries)."""

from __future__ import annotations

from wfx.store.history_bounds import Link, cut_of, exceeds_bounds, marker_status
from wfx.store.postgres.connections import Plain
from wfx.store.postgres.sealed_rows import opened_text, sealed_text, sealing_of
from wfx.store.postgres.statements import SQL

_STATUS = "history.status"


async def trim(plain: Plain, job: int) -> None:
    """Bring the history of the job with this number within its bounds, in one transaction that locks the job alone."""
    async with plain.transaction():
        if (owner := await plain.fetchval(SQL["lock_job"], job)) is None:
            return
        links = [Link(version, version, size) for version, size in await plain.fetch(SQL["history_links"], job)]
        if not exceeds_bounds(len(links), sum(link.size for link in links)) or (cut := cut_of(links)) is None:
            return
        marker = cut.marker
        kept = await plain.fetchval(SQL["entry_status"], job, marker.version)
        sealing = sealing_of(plain)
        status = marker_status(opened_text(sealing, _STATUS, owner, kept).encode(), cut.dropped)
        told = sealed_text(sealing, _STATUS, owner, status.decode())
        await plain.execute(SQL["mark_entry"], job, marker.version, told)
        await plain.execute(SQL["drop_middle"], job, marker.version, cut.newest.version)
        less = sum(link.size for link in cut.middle) + marker.size - len(status)
        await plain.execute(SQL["trimmed_job"], job, less, len(cut.middle))
