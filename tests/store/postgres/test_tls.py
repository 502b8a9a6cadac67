"""TLS to PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from certificates import Authority, Certificate
from postgres_server import PASSWORD, USER, Postgres

from wfx.domain.errors import StoreUnavailable
from wfx.store.postgres.aws_credentials import CredentialSource
from wfx.store.postgres.connecting import Connector
from wfx.store.postgres.rds_iam import RdsTokens, encrypted
from wfx.store.postgres.target import read_target

IS_ENCRYPTED = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
CLIENT = "SELECT client_dn FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
RULES = """
local all all trust
hostnossl plain all all scram-sha-256
hostssl plain all all reject
hostssl shown all all scram-sha-256 clientcert=verify-ca
hostssl tokens all all password
hostssl all all all scram-sha-256
"""
THEN = datetime(2026, 7, 1, 12, tzinfo=UTC)


@dataclass
class Setting:
    """A server with TLS, and who has signed what."""

    server: Postgres
    authority: Path
    stranger: Path
    client: Certificate

    async def ask(self, sql: str, database: str = "postgres", **others: object) -> object:
        """Connect, ask for one value, close."""
        connection = await Connector(read_target(self.server.conninfo(database, **others), {"HOME": "/nonexistent"}))()
        try:
            return await connection.fetchval(sql)
        finally:
            await connection.close()


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Setting]:
    """A server whose certificate is for localhost, that takes clients of the databases as RULES says."""
    folder = tmp_path_factory.mktemp("tls")
    authority, stranger = Authority(folder, "ca"), Authority(folder, "stranger")
    shown = authority.sign("server", names="DNS:localhost")
    with Postgres() as server:
        for name in ("plain", "shown", "tokens"):
            server.sql(f"CREATE DATABASE {name}")
        (server.data / "pg_hba.conf").write_text(RULES)
        files = (shown.certificate, shown.key, authority.certificate)
        certificate, key, ca = [server.own_file(file.name, file.read_bytes()) for file in files]
        own = (f"ssl_cert_file={certificate}", f"ssl_key_file={key}", f"ssl_ca_file={ca}")
        server.restart(settings=("ssl=on", *own))
        yield Setting(server, authority.certificate, stranger.certificate, authority.sign("client"))


@pytest.mark.parametrize(
    ("sslmode", "encrypted"), [("disable", False), ("allow", False), ("prefer", True), ("require", True)]
)
async def test_modes(tls: Setting, sslmode: str, encrypted: bool) -> None:
    """Whether a connection is encrypted is what sslmode says; prefer does without where it must."""
    database = "plain" if sslmode in ("disable", "allow") else "postgres"
    assert await tls.ask(IS_ENCRYPTED, database, sslmode=sslmode) is encrypted
    if sslmode in ("allow", "prefer"):
        assert await tls.ask(IS_ENCRYPTED, "plain", sslmode=sslmode) is False
        assert await tls.ask(IS_ENCRYPTED, "postgres", sslmode=sslmode) is True
    if sslmode == "require":
        with pytest.raises(StoreUnavailable, match=r"pg_hba.conf rejects connection"):
            await tls.ask(IS_ENCRYPTED, "plain", sslmode=sslmode)


async def test_verification(tls: Setting) -> None:
    """The server's certificate is checked by the given authority, and its name by verify-full."""
    trusted = {"sslrootcert": tls.authority, "host": "localhost"}
    for mode in ("verify-ca", "verify-full"):
        assert await tls.ask(IS_ENCRYPTED, sslmode=mode, **trusted) is True
        with pytest.raises(StoreUnavailable, match="certificate verify failed"):
            await tls.ask(IS_ENCRYPTED, sslmode=mode, **{**trusted, "sslrootcert": tls.stranger})
    assert await tls.ask(IS_ENCRYPTED, sslmode="verify-ca", **{**trusted, "host": "127.0.0.1"}) is True
    with pytest.raises(StoreUnavailable, match="IP address mismatch"):
        await tls.ask(IS_ENCRYPTED, sslmode="verify-full", **{**trusted, "host": "127.0.0.1"})
    with pytest.raises(StoreUnavailable, match="certificate verify failed"):  # an authority that is given is meant
        await tls.ask(IS_ENCRYPTED, sslmode="require", **{**trusted, "sslrootcert": tls.stranger})


async def test_system_authorities(tls: Setting) -> None:
    """With sslrootcert=system the authorities count that the system trusts."""
    with pytest.raises(StoreUnavailable, match="certificate verify failed"):
        await tls.ask(IS_ENCRYPTED, sslmode="verify-full", sslrootcert="system", host="localhost")


async def test_client_certificate(tls: Setting) -> None:
    """A client certificate is shown where it is given; the server that asks for one refuses who has none."""
    shown = {"sslcert": tls.client.certificate, "sslkey": tls.client.key}
    assert await tls.ask(CLIENT, "shown", sslmode="require", **shown) == "/CN=client"
    with pytest.raises(StoreUnavailable, match="requires a valid client certificate"):
        await tls.ask(CLIENT, "shown", sslmode="require")


async def test_rds_token(tls: Setting) -> None:
    """With RDS IAM a token is the password, over TLS; it is the one that was made for this server and moment."""
    variables = {"AWS_ACCESS_KEY_ID": "akid", "AWS_SECRET_ACCESS_KEY": "secret"}
    target = encrypted(read_target(tls.server.conninfo("tokens", password="of no use"), {}))
    tokens = RdsTokens(USER, "us-east-1", CredentialSource(variables, "us-east-1"), clock=lambda: THEN)
    connector = Connector(target, token=tokens)
    with pytest.raises(StoreUnavailable, match="password authentication failed"):
        await connector()
    token = await tokens(target.servers[0])
    tls.server.sql(f"ALTER ROLE {USER} PASSWORD '{token}'")
    connection = await connector()
    assert await connection.fetchval(IS_ENCRYPTED) is True
    await connection.close()
    tls.server.sql(f"ALTER ROLE {USER} PASSWORD '{PASSWORD}'")
