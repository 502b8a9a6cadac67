"""Connections to PostgreSQL: which server is taken, how it is reached, and what is said where none can be."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from postgres_server import PASSWORD, USER, Postgres

from tests.store.postgres.patience import until
from wfx.domain.errors import StoreUnavailable
from wfx.store.postgres.connecting import Connector
from wfx.store.postgres.connections import Plain
from wfx.store.postgres.session import Demands
from wfx.store.postgres.target import read_target

OURS = Demands()
NOWHERE = {"HOME": "/nonexistent"}
SHOW = "SELECT current_setting($1)"


def connector(option: str, demands: Demands = OURS, settings: Mapping[str, str] | None = None) -> Connector:
    """What connects as the option says, whatever the environment does."""
    return Connector(read_target(option, NOWHERE), demands, settings=settings or {})


async def value(option: str, sql: str, *arguments: object, demands: Demands = OURS) -> Any:
    """Connect, ask for one value, close."""
    connection = await connector(option, demands)()
    try:
        return await connection.fetchval(sql, *arguments)
    finally:
        await connection.close()


async def refusal(option: str, demands: Demands = OURS) -> str:
    """Say why there is no connection."""
    with pytest.raises(StoreUnavailable) as caught:
        await connector(option, demands)()
    assert PASSWORD not in str(caught.value)
    return str(caught.value)


@contextmanager
def role_setting(postgres: Postgres, setting: str) -> Iterator[None]:
    """Have a DBA set something for the user of the tests."""
    postgres.sql(f"ALTER ROLE {USER} SET {setting}")
    try:
        yield
    finally:
        postgres.sql(f"ALTER ROLE {USER} RESET ALL")


@pytest.mark.parametrize(
    "form",
    [
        "host={host} port={port} user={user} password='{password}' dbname={database}",
        "host={host} port={port} user={user} password='{password}' database={database}",
        "postgres://{user}:{password}@{host}:{port}/{database}",
        "postgresql://{user}@{host}:{port}/{database}?password={password}&sslmode=prefer&connect_timeout=9",
        "host={folder} port={port} user={user} dbname={database}",
    ],
)
async def test_forms(postgres: Postgres, database: str, form: str) -> None:
    """A database is reached by pairs, by URIs, and over a Unix socket."""
    password = PASSWORD.replace(" ", "%20") if "://" in form else PASSWORD
    option = form.format(
        host="127.0.0.1", port=postgres.port, user=USER, password=password, database=database, folder=postgres.folder
    )
    assert await value(option, "SELECT current_database() || current_user") == database + USER


async def test_variables(postgres: Postgres, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database is reached by environment variables alone."""
    for name, said in {
        "PGHOST": "127.0.0.1", "PGPORT": str(postgres.port), "PGUSER": USER, "PGPASSWORD": PASSWORD,
        "PGDATABASE": database, "PGAPPNAME": "of the variable", "PGCONNECT_TIMEOUT": "9", "PGSSLMODE": "disable",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, said)
    connection = await Connector(read_target(""))()
    assert await connection.fetchval(SHOW, "application_name") == "of the variable"
    await connection.close()


async def test_passfile(postgres: Postgres, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The password comes from a password file; the variable of another password does not count beside it."""
    file = tmp_path / "pass"
    file.write_text(f"127.0.0.1:{postgres.port}:{database}:{USER}:{PASSWORD}\n")
    file.chmod(0o600)
    monkeypatch.setenv("PGPASSWORD", "wrong")  # of the driver's own reading, if there were any
    option = f"host=127.0.0.1 port={postgres.port} user={USER} dbname={database} passfile={file}"
    assert await value(option, "SELECT current_user") == USER


async def test_first_that_answers(postgres: Postgres, database: str) -> None:
    """Of several hosts the first that answers is taken; all are named if none does."""
    closed = _closed_port()
    option = postgres.conninfo(database, host="127.0.0.1,127.0.0.1", port=f"{closed},{postgres.port}")
    assert await value(option, "SELECT current_user") == USER
    said = await refusal(postgres.conninfo(database, host="127.0.0.1,nowhere.invalid", port=closed))
    assert said.startswith(f"no connection to PostgreSQL: 127.0.0.1:{closed}: connection refused; nowhere.invalid:")


async def test_silent_host(postgres: Postgres, database: str) -> None:
    """A host that accepts and says nothing is left after the timeout for the next one."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        port = silent.getsockname()[1]
        option = postgres.conninfo(
            database, host="127.0.0.1,127.0.0.1", port=f"{port},{postgres.port}", connect_timeout=2
        )
        assert await value(option, "SELECT current_user") == USER


async def test_primary(postgres: Postgres, database: str) -> None:
    """Where a server can only be read, such as a standby, the next one is taken."""
    with Postgres() as other:
        other.restart(settings=("default_transaction_read_only=on",))
        other.sql(f"SET default_transaction_read_only = off; CREATE DATABASE {database} OWNER {USER}")
        hosts = {"host": "127.0.0.1,127.0.0.1", "port": f"{other.port},{postgres.port}"}
        option = postgres.conninfo(database, **hosts, target_session_attrs="read-write")
        assert await value(option, SHOW, "port") == str(postgres.port)
        said = await refusal(postgres.conninfo(database, port=other.port))
        assert "the server cannot write now: it is a standby, or default_transaction_read_only is on" in said


async def test_standby() -> None:
    """A standby is passed over, and taken once it is promoted."""
    with Postgres() as primary, Postgres(primary) as standby:
        hosts = {"host": "127.0.0.1,127.0.0.1", "port": f"{standby.port},{primary.port}"}
        with primary.database() as name:
            option = primary.conninfo(name, **hosts)
            assert await value(option, SHOW, "port") == str(primary.port)
            await asyncio.to_thread(standby.catch_up_with, primary)
            await asyncio.to_thread(primary.stop, "immediate")
            assert "127.0.0.1" in await refusal(option)
            await asyncio.to_thread(standby.promote)
            assert await value(option, SHOW, "port") == str(standby.port)


async def test_session(postgres: Postgres, database: str) -> None:
    """Sessions read what is committed, do not compile queries, and have the program's name, whatever a DBA has set."""
    with role_setting(postgres, "default_transaction_isolation = 'repeatable read'"):
        connection = await connector(postgres.conninfo(database), settings={"lock_timeout": "1234ms"})()
        found = [
            await connection.fetchval(SHOW, name)
            for name in ("transaction_isolation", "jit", "random_page_cost", "application_name", "lock_timeout")
        ]
        await connection.close()
    assert found == ["read committed", "off", "1.1", "wfx", "1234ms"]


async def test_memory_of_searches(postgres: Postgres, database: str) -> None:
    """Sessions have 16 MB for each step of a search, unless a DBA has set anything else than PostgreSQL's default."""
    assert await value(postgres.conninfo(database), SHOW, "work_mem") == "16MB"
    with role_setting(postgres, "work_mem = '5MB'"):
        assert await value(postgres.conninfo(database), SHOW, "work_mem") == "5MB"


async def test_options(postgres: Postgres, database: str) -> None:
    """Settings that the storage option gives are those of the sessions."""
    assert await value(postgres.conninfo(database, options="-c work_mem=7MB"), SHOW, "work_mem") == "7MB"


@pytest.mark.parametrize("level", ["off", "local"])
async def test_not_durable(postgres: Postgres, database: str, level: str) -> None:
    """Where commits are answered before they are safe the server is refused, unless that is allowed or set right."""
    with role_setting(postgres, f"synchronous_commit = {level}"):
        option = postgres.conninfo(database)
        said = await refusal(option)
        assert said.startswith(
            f"PostgreSQL cannot be used: 127.0.0.1:{postgres.port}: synchronous_commit is {level}, so"
        )
        assert await value(option, SHOW, "jit", demands=Demands(may_lose_commits=True)) == "off"
        assert await value(postgres.conninfo(database, options="-c synchronous_commit=on"), SHOW, "jit") == "off"


async def test_durable_sessions_stay_durable(postgres: Postgres, database: str) -> None:
    """A session keeps its durable commits when the configuration of a PostgreSQL that runs gives them up."""
    target, level = read_target(postgres.conninfo(database), {}), "SHOW synchronous_commit"
    plain, other = await Connector(target)(), await Connector(target, Demands(may_lose_commits=True))()
    try:
        postgres.sql("ALTER SYSTEM SET synchronous_commit = off; SELECT pg_reload_conf()")
        await until(lambda: _is_off(other))
        assert [await plain.fetchval(level) for _ in range(3)] == ["on"] * 3
    finally:
        postgres.sql("ALTER SYSTEM RESET synchronous_commit; SELECT pg_reload_conf()")
        await plain.close()
        await other.close()


async def _is_off(plain: Plain) -> bool:
    return bool(await plain.fetchval("SELECT current_setting('synchronous_commit') = 'off'"))


async def test_pooler(postgres: Postgres, database: str) -> None:
    """Behind a pooler nothing is set in sessions that others use, too; isolation must be right by itself."""
    behind = Demands(pooler=True)
    assert await value(postgres.conninfo(database), SHOW, "jit", demands=behind) == "on"
    with role_setting(postgres, "default_transaction_isolation = 'repeatable read'"):
        said = await refusal(postgres.conninfo(database), behind)
    assert "default_transaction_isolation is repeatable read, and must be read committed behind a pooler" in said


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
async def test_encoding(postgres: Postgres, encoding: str) -> None:
    """A database that cannot have all texts of clients is refused for what writes; it can be read to move it."""
    name = f"wfx_{encoding.lower()}"
    postgres.sql(f"CREATE DATABASE {name} OWNER {USER} TEMPLATE template0 ENCODING '{encoding}' LOCALE 'C'")
    try:
        option = postgres.conninfo(name)
        assert f"the encoding of the database is {encoding}, and must be UTF8" in await refusal(option)
        reads = Demands(standby_will_do=True)
        assert await value(option, SHOW, "server_encoding", demands=reads) == encoding
    finally:
        postgres.sql(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.mark.parametrize(
    ("version", "reason"),
    [
        (
            "CockroachDB CCL v23.1.11 (x86_64-pc-linux-gnu)",
            "the server is CockroachDB, not PostgreSQL: it has no LISTEN",
        ),
        ("PostgreSQL 13.14 on x86_64-pc-linux-gnu", "the server is PostgreSQL 13; 14 or newer is needed"),
    ],
)
async def test_other_servers(postgres: Postgres, version: str, reason: str) -> None:
    """What is not PostgreSQL, or too old, is refused by name at the start."""
    with postgres.database() as name:
        postgres.sql(f"CREATE FUNCTION public.version() RETURNS text RETURN '{version}'", name)
        postgres.sql(f"ALTER DATABASE {name} SET search_path = public, pg_catalog")
        assert reason in await refusal(postgres.conninfo(name))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"password": "wrong"}, 'password authentication failed for user "wfx"'),
        ({"password": ""}, 'password authentication failed for user "wfx"; no password was given'),
        ({"dbname": "nowhere"}, 'database "nowhere" does not exist'),
        ({"sslmode": "require"}, "rejected SSL upgrade"),
        ({"options": "-c nonsense=1"}, 'unrecognized configuration parameter "nonsense"'),
        ({"host": "nowhere.invalid"}, "nowhere.invalid"),
        ({"host": "/nonexistent"}, "No such file"),
    ],
)
async def test_refusals(postgres: Postgres, database: str, changes: dict[str, str], reason: str) -> None:
    """Why there is no connection is said with the server, and without the password."""
    assert reason in await refusal(postgres.conninfo(database, **changes))


async def test_passwords_that_are_no_text(postgres: Postgres, database: str, tmp_path: Path) -> None:
    """A password file whose password is no UTF-8 is told of, and no byte of the password is shown."""
    file = tmp_path / "pass"
    file.write_bytes(b"*:*:*:*:canary\xff\n")
    file.chmod(0o600)
    said = await refusal(postgres.conninfo(database, password="", passfile=file))
    assert said.endswith("the password has bytes that are no UTF-8")


async def test_too_many(postgres: Postgres, database: str) -> None:
    """A server that has no connection left says so."""
    postgres.sql(f"ALTER ROLE {USER} CONNECTION LIMIT 0")
    try:
        assert 'too many connections for role "wfx"' in await refusal(postgres.conninfo(database))
    finally:
        postgres.sql(f"ALTER ROLE {USER} CONNECTION LIMIT -1")


async def test_keepalive(postgres: Postgres, database: str) -> None:
    """Connections are kept alive, with the times that the storage option gives."""
    connection = await connector(postgres.conninfo(database, keepalives_idle=7, tcp_user_timeout=9000))()
    connected = connection._transport.get_extra_info("socket")
    assert connected.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
    assert connected.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 7
    assert connected.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 9000
    await connection.close()


def _closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
