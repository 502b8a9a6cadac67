"""Servers that speak PostgreSQL's protocol, by what they call themselves."""

from __future__ import annotations

import pytest

from wfx.store.postgres.server_kind import refusal

POSTGRESQL = (
    "PostgreSQL 14.0 on x86_64-pc-linux-gnu, compiled by gcc (Debian 10.2.1-6) 10.2.1 20210110, 64-bit",
    "PostgreSQL 15.18 (Debian 15.18-0+deb12u1) on x86_64-pc-linux-gnu, compiled by gcc (Debian 12.2.0), 64-bit",
    "PostgreSQL 17.5 on aarch64-unknown-linux-gnu, compiled by aarch64-unknown-linux-gnu-gcc (GCC) 9.5.0, 64-bit",
    "PostgreSQL 18beta1 on x86_64-pc-linux-musl, compiled by gcc (Alpine 14.2.0) 14.2.0, 64-bit",
    "PostgreSQL 19devel on x86_64-linux, compiled by clang-18, 64-bit",
    "PostgreSQL 15.4 (EnterpriseDB Advanced Server 15.4.0) on x86_64-pc-linux-gnu, compiled by gcc, 64-bit",
)
OTHERS = {
    "CockroachDB": "CockroachDB CCL v23.1.11 (x86_64-pc-linux-gnu, built 2023/09/27 01:53:43, go1.19.10)",
    "YugabyteDB": "PostgreSQL 15.2-YB-2.25.1.0-b0 on x86_64-pc-linux-gnu, compiled by clang version 17.0.6, 64-bit",
    "Amazon Redshift": "PostgreSQL 8.0.2 on i686-pc-linux-gnu, compiled by GCC gcc (GCC) 3.4.2, Redshift 1.0.12103",
    "Greenplum": "PostgreSQL 12.12 (Greenplum Database 7.0.0 build commit:0a7a3566) on x86_64-pc-linux-gnu",
    "Materialize": "PostgreSQL 9.5.0 on x86_64-unknown-linux-gnu (Materialize v0.87.2 (d1f3b4d))",
    "RisingWave": "PostgreSQL 13.14.0-RisingWave-2.1.0 (c7a3f9b)",
    "CrateDB": "CrateDB 5.4.0 (built 0b0ab7a/2023-07-18T12:09:27Z, Linux 6.2.0 amd64, OpenJDK 20)",
    "QuestDB": "PostgreSQL 12.3, compiled by Visual C++ build 1914, 64-bit, QuestDB",
    "openGauss": "(openGauss 5.0.0 build a07d57c3) compiled at 2023-03-29 03:37:13 commit 0 last mr",
    "CedarDB": "PostgreSQL 16.3 compatible CedarDB v2025-05-13",
}
TOO_OLD = {"9": "PostgreSQL 9.6.24 on x86_64-pc-linux-gnu, compiled by gcc", "13": "PostgreSQL 13.21 (Ubuntu 13.21)"}


@pytest.mark.parametrize("version", POSTGRESQL)
def test_postgresql(version: str) -> None:
    """PostgreSQL from version 14 on will do, whoever built it."""
    assert refusal(version) is None


@pytest.mark.parametrize("name", OTHERS)
def test_others(name: str) -> None:
    """Others are refused by their name, with a reason."""
    said = refusal(OTHERS[name])
    assert said is not None
    assert said.startswith(f"the server is {name}, not PostgreSQL: it")


@pytest.mark.parametrize("number", TOO_OLD)
def test_too_old(number: str) -> None:
    """Older versions of PostgreSQL are refused, with the version that is needed."""
    assert refusal(TOO_OLD[number]) == f"the server is PostgreSQL {number}; 14 or newer is needed"


def test_unknown() -> None:
    """A server that is known under no name is refused with what it calls itself."""
    assert refusal("NewBase 1.0") == "the server is not PostgreSQL: it calls itself 'NewBase 1.0'"
