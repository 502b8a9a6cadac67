"""Opens a PostgreSQL database."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from dataclasses import replace

import asyncpg

from wfx.domain.errors import StoreError, StoreUnavailable, StoreUnusable
from wfx.protection.sealing import Sealing
from wfx.store.postgres.backend import Openers, PostgresBackend
from wfx.store.postgres.connecting import Connector
from wfx.store.postgres.connections import Open, Plain
from wfx.store.postgres.deadlines import Deadlines
from wfx.store.postgres.enrolment import Membership, admit
from wfx.store.postgres.faults import LOST, translate
from wfx.store.postgres.known_log import KnownLog
from wfx.store.postgres.migrate import migrate, migrations
from wfx.store.postgres.notification_check import HeardConnections, open_heard
from wfx.store.postgres.rds_iam import encrypted, rds_tokens
from wfx.store.postgres.session import Demands
from wfx.store.postgres.target import read_target
from wfx.store.postgres.unfinished_import import import_of
from wfx.store.storage_settings import DEFAULTS, StorageSettings

_log = logging.getLogger(__name__)

_DEADLINES = Deadlines()
_SESSION = {"lock_timeout": f"{int(_DEADLINES.lock * 1000)}ms", "idle_in_transaction_session_timeout": "30s"}
_WRITE = {**_SESSION, "plan_cache_mode": "force_generic_plan", "enable_seqscan": "off"}
_SEARCH = {**_SESSION, "plan_cache_mode": "force_custom_plan"}
_MIGRATION_SECONDS = 3600.0
_GRACE_SECONDS = 5.0
"""How much longer than PostgreSQL's own limit this side waits for an answer that may take long."""


class _Target:
    """Where an option says that the database is, and how connections to it are opened."""

    def __init__(self, option: str, settings: StorageSettings, *, pooler: bool) -> None:
        target = read_target(option)
        self.needs_primary = target.needs_primary
        self._token = rds_tokens(target, os.environ)
        self._target = encrypted(target) if self._token else target
        self._demands = Demands(pooler, settings.may_lose_commits)
        self._sealing = settings.sealing
        self.name = str(target)

    def opener(
        self,
        seconds: float,
        session: Mapping[str, str],
        grace: float = _GRACE_SECONDS,
        known: KnownLog | None = None,
        *,
        follows: bool = False,
    ) -> Connector:
        """Return what opens connections for one use, where PostgreSQL may work so many seconds on a statement."""
        limited = {**session, "statement_timeout": f"{int(seconds * 1000)}ms"}
        return Connector(
            self._target, self._demands, self._token, seconds + grace, limited, known, follows, self._sealing
        )


async def open_backend(option: str, settings: StorageSettings = DEFAULTS) -> PostgresBackend:
    """Open the database that the option names (see :mod:`wfx.store.postgres.target`), and make or upgrade its tables.

    Raises StoreUnusable, naming the database and what to do.
    """
    target = _Target(option, settings, pooler=settings.pooler)
    direct = _listen_target(settings) if settings.listen_dsn else target
    grace = _DEADLINES.grace
    known = KnownLog()
    write = target.opener(_DEADLINES.write - grace, _WRITE, grace, known, follows=True)
    point = target.opener(_DEADLINES.read - grace, _SESSION, grace, known)
    listen = direct.opener(_DEADLINES.read - grace, _SESSION, grace, known, follows=True)
    search = target.opener(settings.search_timeout, _SEARCH, known=known)
    check = target.opener(_DEADLINES.ping, _SESSION, grace)  # knows no log: to look at it could wait for a lock, too
    try:
        await _migrate(target, settings.sealing)
        heard = await _open_heard(_naming(direct, listen) if settings.listen_dsn else listen, point, settings)
        make_durable = settings.pooler and not settings.may_lose_commits  # elsewhere sessions keep what they began with
        member = Membership(target.name, settings.sealing, has_session=not settings.pooler)
        openers = Openers(write, point, search, listen, check, known, make_durable, member)
        backend = PostgresBackend(openers, _DEADLINES, settings.search_connections, notified=heard is not None)
        await backend.open(heard)
    except StoreUnusable:
        raise
    except StoreError as exc:
        raise StoreUnusable(f"cannot use the database {target.name}: {exc}") from exc
    except (asyncpg.PostgresError, *LOST) as exc:
        raise StoreUnusable(f"cannot use the database {target.name}: {translate(exc) or exc}") from exc
    return backend


def _listen_target(settings: StorageSettings) -> _Target:
    try:
        return _Target(settings.listen_dsn, settings, pooler=False)
    except StoreUnusable as exc:
        raise StoreUnusable(
            f"in --postgres-listen-dsn: {str(exc).replace('the storage option', 'this option')}"
        ) from exc


def _naming(target: _Target, connect: Open) -> Open:
    """Return what connects to where notifications are heard, and says that it is about these if it cannot."""

    async def named() -> Plain:
        try:
            return await connect()
        except StoreError as exc:
            text = f"cannot hear of changes in the database {target.name} of --postgres-listen-dsn: {exc}"
            raise StoreUnusable(text) from exc

    return named


async def open_plain(
    option: str, sealing: Sealing | None = None, *, standby_will_do: bool = False
) -> tuple[Plain, str]:
    """Open a connection for work that may take long, and return it with the name of the database.

    Where no server can write it is to a standby, if a ``standby_will_do``. Raises StoreUnusable.
    """
    target = _Target(option, replace(DEFAULTS, sealing=sealing), pooler=False)
    connect = target.opener(_MIGRATION_SECONDS, _SESSION)
    try:
        try:
            return await connect(), target.name
        except StoreUnavailable:
            if not standby_will_do or target.needs_primary:
                raise
            plain = await replace(connect, demands=replace(connect.demands, standby_will_do=True))()
    except StoreError as exc:
        raise StoreUnusable(f"cannot use the database {target.name}: {exc}") from exc
    _log.warning("the database %s is read where nothing can be written: a standby may lack newest changes", target.name)
    return plain, target.name


async def _migrate(target: _Target, sealing: Sealing | None) -> None:
    plain = await target.opener(_MIGRATION_SECONDS, _SESSION)()
    try:
        await migrate(plain, migrations(), target.name)
        if await import_of(plain) is not None:
            raise StoreUnusable(f"an import into the database {target.name} is not finished; call it again")
        await admit(plain, target.name, sealing)
    finally:
        plain.terminate()


async def _open_heard(listen: Open, notify: Open, settings: StorageSettings) -> HeardConnections | None:
    """Return two connections if notifications are heard; warn if they are not, and nobody has said so."""
    if settings.pooler and not settings.listen_dsn:
        return None
    if heard := await open_heard(listen, notify):
        return heard
    _log.warning(
        "no notification of PostgreSQL is heard, so the log is read ten times a second: a pooler of transactions seems "
        "to be in between; give --postgres-pooler, and PostgreSQL's own address as --postgres-listen-dsn"
    )
    return None
