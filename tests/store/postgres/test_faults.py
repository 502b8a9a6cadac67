"""What becomes of PostgreSQL's faults: which are refusals, which may be tried again, which leave the outcome open."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest
from postgres_server import Postgres
from waiting import eventually

from wfx.domain.errors import StoreFull, StoreUnavailable
from wfx.store.postgres.connecting import Connector
from wfx.store.postgres.connections import Connection, Plain
from wfx.store.postgres.faults import ConnectionLost, DecideAgain, Locked, Unfit, translate
from wfx.store.postgres.target import read_target

SLEEP = "SELECT pg_sleep(600)"
DEADLINE = 60.0
States = list[tuple[str, type[Exception]]]


def connection(postgres: Postgres, database: str, timeout: float | None = None, **settings: str) -> Connection:
    """A connection of the store."""
    target = read_target(postgres.conninfo(database), {})
    return Connection(Connector(target, command_timeout=timeout, settings=settings), known_down=1.0, writes=True)


@asynccontextmanager
async def connected(postgres: Postgres, database: str, **settings: str) -> AsyncIterator[Connection]:
    """A connection of the store, closed in the end."""
    found = connection(postgres, database, **settings)
    try:
        yield found
    finally:
        await found.close()


async def ask(one: Connection, sql: str, *arguments: object) -> Any:
    """Ask for one value."""
    return await one.run(lambda plain: plain.fetchval(sql, *arguments))


async def execute(one: Connection, sql: str) -> None:
    """Run statements, each by itself."""
    await one.run(lambda plain: plain.execute(sql))


async def is_running(postgres: Postgres, pid: int) -> bool:
    """Wait until the process of a connection works on a statement."""
    active = f"SELECT count(*) FROM pg_stat_activity WHERE pid = {pid} AND state = 'active' AND query LIKE '%pg_sleep%'"
    await asyncio.to_thread(eventually, lambda: postgres.sql(active) == ["1"], "the statement runs")
    return True


@asynccontextmanager
async def sleeping(postgres: Postgres, one: Connection) -> AsyncIterator[tuple[asyncio.Task[Any], int]]:
    """A statement that is under way, and the process that works on it."""
    pid = await ask(one, "SELECT pg_backend_pid()")
    task = asyncio.create_task(ask(one, SLEEP))
    assert await is_running(postgres, pid)
    try:
        yield task, pid
    finally:
        task.cancel()


async def fails_with(kind: type[Exception], work: Awaitable[object]) -> str:
    """Check that something fails in one way, and none that is more special; returns the message."""
    with pytest.raises(kind) as caught:
        await asyncio.wait_for(work, DEADLINE)
    assert type(caught.value) is kind
    return str(caught.value)


async def test_killed_while_idle(postgres: Postgres, database: str) -> None:
    """A connection that was ended while nobody used it is opened anew for the next use."""
    async with connected(postgres, database) as one:
        pid = await ask(one, "SELECT pg_backend_pid()")
        postgres.sql(f"SELECT pg_terminate_backend({pid})")
        gone = f"SELECT count(*) FROM pg_stat_activity WHERE pid = {pid}"
        await asyncio.to_thread(eventually, lambda: postgres.sql(gone) == ["0"], "the connection ends")
        for _ in range(2):  # the first use may come before the news of the end
            try:
                assert await ask(one, "SELECT pg_backend_pid()") != pid
            except ConnectionLost:
                continue


async def test_who_comes_while_it_is_opened_waits(postgres: Postgres, database: str) -> None:
    """A connection that is still being set up is used by nobody, also if those who had it opened did not wait."""
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def begin(plain: Plain) -> None:
        begun.set()
        await go_on.wait()
        await plain.execute("SET application_name = 'set up'")

    one = Connection(Connector(read_target(postgres.conninfo(database), {})), begin, known_down=DEADLINE, writes=True)
    until = asyncio.get_running_loop().time() + 0.01
    await fails_with(StoreUnavailable, one.run(lambda plain: plain.fetchval("SELECT 1"), until))
    await asyncio.wait_for(begun.wait(), DEADLINE)
    second = asyncio.create_task(ask(one, "SHOW application_name"))
    while not one._turn.locked():  # noqa: ASYNC110 - what is waited for has no event to tell it
        await asyncio.sleep(0)
    go_on.set()
    assert await asyncio.wait_for(second, DEADLINE) == "set up"
    await one.close()


@pytest.mark.parametrize("signalled", ["pg_terminate_backend", "SIGKILL"])
async def test_killed_while_running(signalled: str) -> None:
    """Where a connection ends under a statement the outcome is open, and the next use opens another."""
    with Postgres() as server, server.database() as database:
        async with connected(server, database) as one, sleeping(server, one) as (task, pid):
            if signalled == "SIGKILL":
                os.kill(pid, signal.SIGKILL)  # then all processes of the server start anew
            else:
                server.sql(f"SELECT pg_terminate_backend({pid})")
            await fails_with(ConnectionLost, task)
            assert not one.is_open
            assert await eventually_answers(one)


async def eventually_answers(one: Connection) -> bool:
    """Use a connection until it can be used."""
    async with asyncio.timeout(DEADLINE):
        while True:
            try:
                return bool(await ask(one, "SELECT true"))
            except StoreUnavailable:
                await asyncio.sleep(0.01)


@pytest.mark.parametrize("how", ["fast", "immediate"])
async def test_stopped_while_running(how: str) -> None:
    """Where the server stops under a statement the outcome is open; until it is back the store is unavailable."""
    with Postgres() as server, server.database() as database:
        async with connected(server, database) as one, sleeping(server, one) as (task, _):
            await asyncio.to_thread(server.stop, how)
            await fails_with(ConnectionLost, task)
            assert "connection refused" in await fails_with(StoreUnavailable, ask(one, "SELECT 1"))
            await asyncio.to_thread(server.start)
            assert await eventually_answers(one)


async def test_shutting_down() -> None:
    """A server that takes no connections now, since it stops or starts, is unavailable."""
    with Postgres() as server, server.database() as database:
        async with connected(server, database) as old, connected(server, database) as one:
            await ask(old, "SELECT 1")
            stopping = threading.Thread(target=server.stop, args=("smart",))  # waits for the old connection
            stopping.start()
            async with asyncio.timeout(DEADLINE):
                while "shutting down" not in str(await refused(one)):
                    one.drop()
            await old.close()
            await asyncio.to_thread(stopping.join)


async def refused(one: Connection) -> StoreUnavailable | None:
    """Use a connection; returns why it cannot be opened."""
    try:
        await ask(one, "SELECT 1")
    except StoreUnavailable as exc:
        return exc
    return None


async def test_read_only(postgres: Postgres, database: str) -> None:
    """A server that turns read-only is unavailable, and its connection is dropped: the next looks for the primary."""
    async with connected(postgres, database) as one:
        await execute(one, "CREATE TABLE IF NOT EXISTS written (n int); SET default_transaction_read_only = on")
        assert "read-only transaction" in await fails_with(
            StoreUnavailable, execute(one, "INSERT INTO written VALUES (1)")
        )
        assert not one.is_open
        await execute(one, "INSERT INTO written VALUES (1)")


async def test_limits_of_time(postgres: Postgres, database: str) -> None:
    """A lock that is not free in time, a statement that takes too long, and one that a DBA ends were not done."""
    async with connected(postgres, database, lock_timeout="50ms") as one, connected(postgres, database) as other:
        await execute(other, "CREATE TABLE IF NOT EXISTS locked (n int)")
        async with other.held() as holder, holder.transaction():
            await holder.execute("LOCK TABLE locked")
            assert "somebody holds a lock" in await fails_with(Locked, execute(one, "INSERT INTO locked VALUES (1)"))
    async with connected(postgres, database, statement_timeout="50ms") as one:
        assert "statement timeout" in await fails_with(StoreUnavailable, ask(one, SLEEP))
    async with connected(postgres, database) as one, sleeping(postgres, one) as (task, pid):
        postgres.sql(f"SELECT pg_cancel_backend({pid})")
        assert "due to user request" in await fails_with(StoreUnavailable, task)


async def test_no_answer(postgres: Postgres, database: str) -> None:
    """Where the server is halted the outcome is open once the time is over that an answer may take."""

    async def ask_in_vain(one: Connection, pid: int) -> None:
        async with one.held() as plain:
            os.kill(pid, signal.SIGSTOP)
            await plain.fetchval("SELECT 1", timeout=0.1)  # measured: the answer never comes

    async with connected(postgres, database) as one:
        pid = await ask(one, "SELECT pg_backend_pid()")
        try:
            await fails_with(ConnectionLost, ask_in_vain(one, pid))
        finally:
            os.kill(pid, signal.SIGCONT)
        assert not one.is_open
        assert await ask(one, "SELECT pg_backend_pid()") != pid


async def test_cancelled(postgres: Postgres, database: str) -> None:
    """A statement that nobody waits for any more may be done: its connection is not used again."""
    async with connected(postgres, database) as one, connected(postgres, database) as other:
        await execute(other, "CREATE TABLE IF NOT EXISTS slow (n int); TRUNCATE slow")
        pid = await ask(one, "SELECT pg_backend_pid()")
        async with other.held() as holder, holder.transaction():
            await holder.execute("LOCK TABLE slow")
            task = asyncio.create_task(execute(one, "INSERT INTO slow VALUES (1) -- pg_sleep"))
            waiting = f"SELECT count(*) FROM pg_locks WHERE pid = {pid} AND NOT granted"
            await asyncio.to_thread(eventually, lambda: postgres.sql(waiting) == ["1"], "the statement waits")
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert not one.is_open
        assert await ask(one, "SELECT pg_backend_pid()") != pid


async def test_deadlock(postgres: Postgres, database: str) -> None:
    """Of two transactions that wait for each other one is done, and one decided again, on the same connection."""
    both = asyncio.Barrier(2)

    async def change(one: Connection, first: int, second: int) -> None:
        async with one.held() as plain, plain.transaction():
            await plain.execute("UPDATE met SET n = n + 1 WHERE id = $1", first)
            await both.wait()
            await plain.execute("UPDATE met SET n = n + 1 WHERE id = $1", second)

    async with connected(postgres, database) as one, connected(postgres, database) as other:
        await execute(one, "CREATE TABLE met (id int PRIMARY KEY, n int); INSERT INTO met VALUES (1, 0), (2, 0)")
        said = await asyncio.gather(change(one, 1, 2), change(other, 2, 1), return_exceptions=True)
        assert [type(each) for each in said if each] == [DecideAgain]
        assert one.is_open
        assert other.is_open


async def test_serialization(postgres: Postgres, database: str) -> None:
    """A transaction that may not see what another has done meanwhile is decided again."""

    async def change(one: Connection, other: Connection) -> None:
        async with one.held() as plain, plain.transaction(isolation="repeatable_read"):
            await plain.fetch("SELECT * FROM counted")
            await execute(other, "UPDATE counted SET n = n + 1")
            await plain.execute("UPDATE counted SET n = n + 1")

    async with connected(postgres, database) as one, connected(postgres, database) as other:
        await execute(one, "CREATE TABLE counted (n int); INSERT INTO counted VALUES (0)")
        await fails_with(DecideAgain, change(one, other))
        assert one.is_open


async def test_row_is_gone(postgres: Postgres, database: str) -> None:
    """A change that refers to what another has deleted meanwhile is decided again."""
    async with connected(postgres, database) as one:
        await execute(one, "CREATE TABLE kept (id int PRIMARY KEY); CREATE TABLE using_it (id int REFERENCES kept)")
        await fails_with(DecideAgain, execute(one, "INSERT INTO using_it VALUES (1)"))
        assert one.is_open


STATES: States = [
    ("53100", StoreFull), ("40001", DecideAgain), ("40P01", DecideAgain), ("23503", DecideAgain),
    ("53200", StoreUnavailable), ("53300", StoreUnavailable), ("53400", StoreUnavailable), ("55P03", Locked),
    ("57014", StoreUnavailable), ("25006", StoreUnavailable), ("58030", StoreUnavailable), ("XX000", StoreUnavailable),
    ("57P01", ConnectionLost), ("57P02", ConnectionLost), ("57P03", ConnectionLost), ("08006", ConnectionLost),
    ("23505", asyncpg.UniqueViolationError), ("42P01", Unfit), ("42703", Unfit), ("42501", Unfit),
    ("3D000", Unfit), ("3F000", Unfit), ("42P07", Unfit), ("26000", StoreUnavailable), ("42P05", StoreUnavailable),
    ("42601", asyncpg.PostgresSyntaxError),
    ("22021", asyncpg.CharacterNotInRepertoireError),
]  # fmt: skip


@pytest.mark.parametrize(("state", "kind"), STATES)
async def test_states(postgres: Postgres, database: str, state: str, kind: type[Exception]) -> None:
    """Each SQLSTATE has its meaning; a connection is kept where it is good, and where the program is at fault."""
    async with connected(postgres, database) as one:
        raised = f"DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{state}'; END $$"
        assert "no" in await fails_with(kind, execute(one, raised))
        assert one.is_open is (kind in (DecideAgain, Locked, Unfit) or not issubclass(kind, StoreUnavailable))


async def test_a_statement_is_missing(postgres: Postgres, database: str) -> None:
    """A prepared statement that the session lacks, as through a pooler of transactions, is told of with the option."""
    async with connected(postgres, database) as one:
        said = await fails_with(StoreUnavailable, execute(one, "EXECUTE nothing"))
        assert "a pooler of transactions seems to be in between: servers need --postgres-pooler" in said


@pytest.mark.parametrize("text", ["\0", "\ud800"])
async def test_texts(postgres: Postgres, database: str, text: str) -> None:
    """Texts that PostgreSQL cannot have are errors of the program, and not of the connection."""
    async with connected(postgres, database) as one:
        with pytest.raises((asyncpg.CharacterNotInRepertoireError, asyncpg.DataError)):
            await ask(one, "SELECT $1::text", text)
        assert one.is_open


async def test_too_many_connections(postgres: Postgres, database: str) -> None:
    """Where the server has no connection left the store is unavailable, and says why."""
    postgres.sql("ALTER ROLE wfx CONNECTION LIMIT 0")
    try:
        async with connected(postgres, database) as one:
            assert "too many connections" in await fails_with(StoreUnavailable, ask(one, "SELECT 1"))
    finally:
        postgres.sql("ALTER ROLE wfx CONNECTION LIMIT -1")


async def test_one_line(postgres: Postgres, database: str) -> None:
    """What PostgreSQL says with a detail and a hint is told in one line, and nothing of the driver's insides."""
    raised = "DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '53200', DETAIL = 'a detail', HINT = 'a hint'; END $$"
    async with connected(postgres, database) as one:
        said = await fails_with(StoreUnavailable, execute(one, raised))
    assert said == "PostgreSQL failed (SQLSTATE 53200): no; DETAIL:  a detail; HINT:  a hint"
    inside = translate(asyncpg.InterfaceError("cannot perform operation: another operation is in progress"))
    assert str(inside) == "the connection to PostgreSQL was lost"


def test_all_kinds_of_loss() -> None:
    """Whatever the way to the server does leaves the outcome open."""
    lost = (ConnectionResetError(), BrokenPipeError(), TimeoutError(), EOFError())
    assert [type(translate(each)) for each in lost] == [ConnectionLost] * len(lost)
