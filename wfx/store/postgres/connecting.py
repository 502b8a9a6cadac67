"""Opener of connections: to the first server of a target that can write, with a session set up for the store."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

import asyncpg

from wfx.domain.errors import StoreUnavailable
from wfx.protection.sealing import Sealing
from wfx.store.postgres import session
from wfx.store.postgres.connections import Plain
from wfx.store.postgres.driver import DriverConnection, telling_loss
from wfx.store.postgres.faults import LOST, ConnectionRefused, is_refusal, text_of, translate
from wfx.store.postgres.known_log import KnownLog, Objection
from wfx.store.postgres.parameters import is_text
from wfx.store.postgres.sealed_rows import SealingConnection
from wfx.store.postgres.target import ServerAddress, Target
from wfx.store.postgres.transports import Transports

Token = Callable[[ServerAddress], Awaitable[str]]
"""Makes a password for a new connection."""

CONNECT_TIMEOUT = 5.0
"""Seconds that a server may take if nothing else is said (server section 8)."""
_FAILURES = (asyncpg.PostgresError, *LOST, UnicodeError)
_OPTIONS_OF_TCP = {
    "keepalives_idle": socket.TCP_KEEPIDLE,
    "keepalives_interval": socket.TCP_KEEPINTVL,
    "keepalives_count": socket.TCP_KEEPCNT,
    "tcp_user_timeout": socket.TCP_USER_TIMEOUT,
}


@dataclass(frozen=True, slots=True)
class Connector:
    """Opens connections, each to whatever server is the primary then."""

    target: Target
    demands: session.Demands = session.Demands()
    token: Token | None = None
    """Makes the password, if the target's own is not used."""
    command_timeout: float | None = None
    """Seconds that a statement may take until its answer is no longer waited for."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """Settings of the sessions, such as ``statement_timeout``."""

    known: KnownLog | None = None
    """What the database has to have; no connection is made to one that lacks it if another one has it."""
    follows: bool = False
    """Whether one that lacks it is taken where no other can be had."""
    sealing: Sealing | None = None
    """Keys that values are sealed with."""

    async def __call__(self) -> Plain:
        """Connect. Raises StoreUnavailable, ConnectionRefused where PostgreSQL refuses; messages have no secrets."""
        failures, wrong, kind = [], "no connection to PostgreSQL", StoreUnavailable
        doubtful: list[tuple[Plain, Objection]] = []
        try:
            for server in self.target.tried():
                try:
                    plain, objection = await self._connect(server)
                except _NextPlease as exc:
                    failures.append(f"{server}: {exc}")
                    wrong = "PostgreSQL cannot be used" if isinstance(exc, _Unsuitable) else wrong
                    kind = ConnectionRefused if is_refusal(exc.__cause__) else kind
                    continue
                if objection is None:
                    return plain
                doubtful.append((plain, objection))
                failures.append(f"{server}: {objection.reason}")
                wrong = "PostgreSQL cannot be used"
            if chosen := self._least_doubtful(doubtful):
                doubtful.remove(chosen)
                return chosen[0]
        finally:
            for plain, _ in doubtful:
                plain.terminate()
        raise kind(f"{wrong}: {'; '.join(failures)}")

    def _least_doubtful(self, doubtful: Sequence[tuple[Plain, Objection]]) -> tuple[Plain, Objection] | None:
        """Choose where no other can be had, and have all connections made there; None if none will do."""
        will_do = [each for each in doubtful if self.follows or not each[1].another_log]
        if not will_do or self.known is None:
            return None
        chosen = min(will_do, key=lambda each: each[1].another_log)
        self.known.move(*chosen)
        return chosen

    async def _connect(self, server: ServerAddress) -> tuple[Plain, Objection | None]:
        plain = await self._opened(server)
        try:
            async with asyncio.timeout(self._timeout):
                reason = await session.prepare(plain, self.demands, self.settings)
                objection = await self.known.objection(plain) if self.known and reason is None else None
            with telling_loss(plain):
                self._keep_alive(plain)
        except _FAILURES as exc:
            plain.terminate()
            raise _NextPlease(_reason(exc, self._timeout)) from exc
        except BaseException:
            plain.terminate()
            raise
        if reason is None:
            return plain, objection
        plain.terminate()
        raise _Unsuitable(reason)

    async def _opened(self, server: ServerAddress) -> Plain:
        plain, password, loop = None, None, asyncio.get_running_loop()
        transports = Transports(loop)
        try:
            password = await self.token(server) if self.token else self._password(server)
            plain = await asyncpg.connect(
                self.target.tls_source,
                host=server.host, port=server.port, user=self.target.user, database=self.target.database,
                password=password or "",  # else the driver would look for another
                ssl=self._tls(server), direct_tls=self.target.direct_tls and not server.is_unix,
                timeout=self._timeout, command_timeout=self.command_timeout, target_session_attrs="any",
                statement_cache_size=0 if self.demands.pooler else 1000, max_cached_statement_lifetime=0,
                server_settings={"application_name": self.target.application_name, **self._options},
                loop=transports, connection_class=DriverConnection if self.sealing is None else SealingConnection,
            )  # fmt: skip
        except asyncpg.InvalidAuthorizationSpecificationError as exc:
            raise _NextPlease(f"{text_of(exc)}{'' if password else '; no password was given'}") from exc
        except _FAILURES as exc:
            raise _NextPlease(_reason(exc, self._timeout)) from exc
        finally:
            if plain is None:
                transports.abort()
        if type(plain) is SealingConnection and self.sealing is not None:
            plain.sealing = self.sealing
        plain._loop = loop  # noqa: SLF001  # it looks for its own tasks by their loop
        return plain

    def _password(self, server: ServerAddress) -> str | None:
        password = server.password(self.target.database, self.target.user)
        if password and not is_text(password):
            raise _NextPlease("the password has bytes that are no UTF-8")
        return password

    @property
    def _timeout(self) -> float:
        return self.target.connect_timeout or CONNECT_TIMEOUT

    @property
    def _options(self) -> dict[str, str]:
        return {"options": self.target.options} if self.target.options else {}

    def _tls(self, server: ServerAddress) -> ssl.SSLContext | str:
        if server.is_unix:
            return "disable"
        if not self.target.system_authorities:
            return self.target.sslmode
        context = ssl.create_default_context()
        context.set_alpn_protocols(["postgresql"])
        return context

    def _keep_alive(self, plain: Plain) -> None:
        connected = plain._transport.get_extra_info("socket")  # noqa: SLF001  # nothing public leads there
        if connected is None or connected.family == socket.AF_UNIX:
            return
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, self.target.keepalive.get("keepalives", 1))
        for name, option in _OPTIONS_OF_TCP.items():
            if (value := self.target.keepalive.get(name, 0)) > 0:
                connected.setsockopt(socket.IPPROTO_TCP, option, value)


class _NextPlease(Exception):
    """This server will not do now; another one may."""


class _Unsuitable(_NextPlease):
    """There was a connection, and the server is not as it must be."""


def _reason(error: BaseException, timeout: float) -> str:
    match error:
        case TimeoutError():
            return f"no answer within {timeout:g} s"
        case ConnectionRefusedError():
            return "connection refused"
        case asyncpg.LockNotAvailableError():
            return str(translate(error))
        case socket.gaierror():
            return f"the host is not known: {error.strerror}"
        case _:
            return text_of(error) or type(error).__name__
