"""Record of the keys that servers on one database have, so that each can open what any of them seals.

The database has a record of the keys that are needed. A server that seals with a key which is not in it yet is let in
only if all other servers at work have that key. Each server compares the record whenever it opens its writing
connection, so one that could not be asked notices by itself. ``docs/encryption.md`` tells how keys are changed.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple
from uuid import UUID

from wfx.domain.errors import StoreUnavailable, StoreUnusable
from wfx.protection.sealing import Sealing
from wfx.protection.used_keys import UsedKeys, other_writer
from wfx.store.postgres.connections import Plain
from wfx.store.postgres.migrate import migrations
from wfx.store.postgres.rows import Row
from wfx.store.postgres.statements import SQL

_LOCK = 0x57465832
"""The advisory lock that who changes the record holds, and who joins shares: "WFX2"."""
_SEALED = 13
"""The schema that a program has to know at least where values are sealed."""


class Membership(NamedTuple):
    """What a server tells the others about itself."""

    name: str = "the database"
    sealing: Sealing | None = None
    has_session: bool = True
    """Whether the session that it writes by is its own as long as it lasts."""

    async def claim(self, plain: Plain, server: UUID) -> Row | None:
        """Raise the epoch in the server's row, or make it; None if an import keeps servers out.

        Raises StoreUnavailable if this server lacks a key.
        """
        keys = UsedKeys.of(self.sealing).encoded()
        async with plain.transaction():
            await plain.execute("SELECT pg_advisory_xact_lock_shared($1)", _LOCK)
            row: Row | None = await plain.fetchrow(SQL["fence"], server, keys, self.has_session)
            if row is None:
                row = await plain.fetchrow(SQL["register_writer"], server, keys, self.has_session)
            try:
                (await read(plain)).require(self.sealing, self.name)
            except StoreUnusable as exc:
                raise StoreUnavailable(str(exc)) from exc
        return row


async def admit(plain: Plain, name: str, sealing: Sealing | None) -> None:
    """Note how this server will write. Raises StoreUnusable if it lacks a key, or another server does."""
    async with plain.transaction():
        await plain.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
        used = await read(plain)
        used.require(sealing, name)
        noted = used.noted(sealing)
        if noted == used:
            return
        _require_openers(await others(plain), noted, name)
        await put(plain, noted)


async def begin_rekeying(plain: Plain, name: str, sealing: Sealing) -> bool:
    """Note that all values will be written so; tell whether no server is at work.

    Raises StoreUnusable if a key is missing, or a server writes in another way.
    """
    async with plain.transaction():
        await plain.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
        used = await read(plain)
        used.require(sealing, name)
        at_work = await others(plain)
        for each in at_work:
            if each is None or each.writer != sealing.writer:
                raise other_writer(f"a server at work on {name}", each.writer if each else None, sealing.writer)
        if (noted := used.noted(sealing)) != used:
            await put(plain, noted)
    return not at_work


async def forget_keys(plain: Plain, sealing: Sealing, *, is_done: bool) -> None:
    """Keep only the key that all values are sealed with now, if they are and no server writes in another way."""
    async with plain.transaction():
        await plain.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
        used = await read(plain)
        writers = {None if each is None else each.writer for each in await others(plain)} | {used.writer}
        if is_done and writers == {sealing.writer}:
            await put(plain, used.only_writer())


async def read(plain: Plain) -> UsedKeys:
    """Return what is known of keys."""
    return UsedKeys.parse(await plain.fetchval(SQL["used_keys"]))


async def put(plain: Plain, used: UsedKeys) -> None:
    """Replace what is known of keys; programs that know nothing of them are kept out while there are any."""
    oldest = migrations()[-1].oldest
    await plain.execute(SQL["put_used_keys"], used.encoded(), max(oldest, _SEALED) if used.check_values else oldest)


async def others(plain: Plain) -> Collection[UsedKeys | None]:
    """Return of each server at work what it has; None for one of a release that knows no keys."""
    rows = await plain.fetch(SQL["servers_at_work"])
    return [None if row[0] is None else UsedKeys.parse(row[0]) for row in rows]


def _require_openers(servers: Collection[UsedKeys | None], noted: UsedKeys, name: str) -> None:
    key_id = noted.writer
    if key_id is None:
        return
    for each in servers:
        if each is None:
            raise StoreUnusable(
                f"a server of an older release, which cannot open sealed values, is at work on {name}: stop it; the "
                "table writer has a row without keys for each, also for one that was killed, until it is deleted there"
            )
        if each.check_values.get(key_id) != noted.check_values[key_id]:
            raise StoreUnusable(
                f'another server at work on {name} does not have the encryption key "{key_id}", with which this one '
                "would seal values: give all servers this key behind the one that they seal with now (or without "
                "--enable-encryption, if they do not seal yet) and restart them, before one of them seals with it"
            )
