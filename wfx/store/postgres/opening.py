"""Opens a PostgreSQL database."""

from __future__ import annotations

from functools import partial

import asyncpg

from wfx.domain.errors import StoreError, StoreUnusable
from wfx.store.postgres.backend import Openers, PostgresBackend
from wfx.store.postgres.connections import Plain
from wfx.store.postgres.faults import translate
from wfx.store.postgres.migrate import migrate, migrations
from wfx.store.postgres.target import Target, read_target

_SESSION = {
    "default_transaction_isolation": "read committed",  # what waits for the log's row must see the newest one
    "jit": "off",
    "lock_timeout": "5s",
    "idle_in_transaction_session_timeout": "30s",
    "random_page_cost": "1.1",
}
_WRITE = {**_SESSION, "statement_timeout": "20s", "plan_cache_mode": "force_generic_plan", "enable_seqscan": "off"}
_POINT = {**_SESSION, "statement_timeout": "10s"}
_SEARCH = {**_SESSION, "statement_timeout": "60s", "plan_cache_mode": "force_custom_plan"}
_GRACE_SECONDS = 5.0
"""How much longer than PostgreSQL's own limit this side waits for an answer."""
_CONNECT_SECONDS = 5.0


async def open_backend(option: str) -> PostgresBackend:
    """Open the database that the option names (see :mod:`wfx.store.postgres.target`), and make or upgrade its tables.

    Raises StoreUnusable, naming the database and what to do.
    """
    target = read_target(option)
    name = str(target)
    try:
        plain = await connect(target, _SEARCH)
        try:
            await migrate(plain, migrations(), name)
        finally:
            await plain.close(timeout=_CONNECT_SECONDS)
        openers = Openers(*(partial(connect, target, settings) for settings in (_WRITE, _POINT, _SEARCH)))
        backend = PostgresBackend(openers)
        await backend.open()
    except StoreUnusable:
        raise
    except StoreError as exc:
        raise StoreUnusable(f"cannot use the database {name}: {exc}") from exc
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as exc:
        raise StoreUnusable(f"cannot use the database {name}: {translate(exc) or exc}") from exc
    return backend


async def connect(target: Target, settings: dict[str, str]) -> Plain:
    """Open a connection for one use."""
    place = target.places[0]
    plain: Plain = await asyncpg.connect(
        host=place.host, port=place.port, user=target.user, password=place.password, database=target.database,
        timeout=target.connect_timeout or _CONNECT_SECONDS,
        command_timeout=_seconds(settings["statement_timeout"]) + _GRACE_SECONDS,
        server_settings={"application_name": target.application_name, "options": target.options, **settings},
    )  # fmt: skip
    return plain


def _seconds(setting: str) -> float:
    return float(setting.removesuffix("s"))
