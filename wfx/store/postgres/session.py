"""Setter of sessions: refuses servers that will not do, and makes each session what the statements need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from wfx.store.postgres.server_kind import refusal

_ISOLATION = "read committed"
_ENCODING = "UTF8"
"""Others cannot have all texts of clients, or cut them within a character."""
_LOOK = """
SELECT current_setting('transaction_read_only') = 'on', current_setting('synchronous_commit'),
       current_setting('default_transaction_isolation'), current_setting('work_mem'), current_setting('server_encoding')
"""
_SET_UP = "SELECT set_config(name, value, false) FROM unnest($1::text[], $2::text[]) AS setting (name, value)"
_SETTINGS = {
    "default_transaction_isolation": _ISOLATION,  # what waits for the log's row must see the newest one
    "jit": "off",  # compiling takes longer than any of the statements
    "random_page_cost": "1.1",  # else few rows with a tag are looked for among all jobs
}
_WORK_MEM = {"4MB": "16MB"}
"""PostgreSQL's default, and ours: with less, the jobs of several frequent tags are looked for page by page."""
NOT_DURABLE = ("off", "local")
READ_ONLY = "the server cannot write now: it is a standby, or default_transaction_read_only is on"


@dataclass(frozen=True, slots=True)
class Demands:
    """What the store asks of its sessions."""

    pooler: bool = False
    """Whether a pooler of transactions is in between, where no session is ours for longer than a statement."""
    may_lose_commits: bool = False
    """Whether a commit may be answered before it is on disk, and on the synchronous standby if there is one."""
    standby_will_do: bool = False
    """Whether nothing is written, so that a standby will do."""


async def prepare(connection: Any, demands: Demands, settings: Mapping[str, str]) -> str | None:
    """Set up the session of a new connection, also by these settings.

    Says why the server will not do; None if it will. Behind a pooler nothing is set: others would have it too.
    """
    if reason := refusal(await connection.fetchval("SELECT version()")):
        return reason
    read_only, commit, isolation, work_mem, encoding = await connection.fetchrow(_LOOK)
    if encoding != _ENCODING and not demands.standby_will_do:
        return f"the encoding of the database is {encoding}, and must be {_ENCODING}: CREATE DATABASE … ENCODING 'UTF8'"
    if read_only and not demands.standby_will_do:
        return READ_ONLY
    if commit in NOT_DURABLE and not (demands.may_lose_commits or demands.standby_will_do):
        return (
            f"synchronous_commit is {commit}, so acknowledged changes could be lost: set it on for this database, "
            "or give options='-c synchronous_commit=on', or allow it by --postgres-may-lose-commits"
        )
    if not demands.pooler:
        wanted = {**_SETTINGS, "work_mem": _WORK_MEM.get(work_mem, work_mem), **settings}
        if not (commit in NOT_DURABLE or demands.may_lose_commits):  # it stays, whatever becomes of configuration
            wanted["synchronous_commit"] = commit
        await connection.fetch(_SET_UP, list(wanted), list(wanted.values()))
    elif isolation != _ISOLATION:
        return f"default_transaction_isolation is {isolation}, and must be {_ISOLATION} behind a pooler"
    return None
