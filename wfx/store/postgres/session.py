"""Setter of sessions: refuses servers that will not do, and makes each session what the statements need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from wfx.store.postgres.server_kind import refusal

_ISOLATION = "read committed"
_LOOK = """
SELECT current_setting('transaction_read_only') = 'on', current_setting('synchronous_commit'),
       current_setting('default_transaction_isolation')
"""
_SET_UP = f"""
SET default_transaction_isolation = '{_ISOLATION}';
SET jit = off;
SET random_page_cost = 1.1;
"""
_NOT_DURABLE = ("off", "local")


@dataclass(frozen=True, slots=True)
class Demands:
    """What the store asks of its sessions."""

    pooler: bool = False
    """Whether a pooler of transactions is in between, where no session is ours for longer than a statement."""
    may_lose_commits: bool = False
    """Whether a commit may be answered before it is on disk, and on the synchronous standby if there is one."""


async def prepare(connection: Any, demands: Demands) -> str | None:
    """Set up the session of a new connection. Says why the server will not do; None if it will."""
    if reason := refusal(await connection.fetchval("SELECT version()")):
        return reason
    read_only, commit, isolation = await connection.fetchrow(_LOOK)
    if read_only:
        return "the server cannot write now: it is a standby, or default_transaction_read_only is on"
    if commit in _NOT_DURABLE and not demands.may_lose_commits:
        return (
            f"synchronous_commit is {commit}, so acknowledged changes could be lost: set it on for this database, "
            "or give options='-c synchronous_commit=on', or allow it by --postgres-may-lose-commits"
        )
    if not demands.pooler:
        await connection.execute(_SET_UP)
    elif isolation != _ISOLATION:
        return f"default_transaction_isolation is {isolation}, and must be {_ISOLATION} behind a pooler"
    return None
