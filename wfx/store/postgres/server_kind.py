"""Recognizer of servers: what speaks PostgreSQL's protocol is not always PostgreSQL."""

from __future__ import annotations

import re

OLDEST = 14
_VERSION = re.compile(r"PostgreSQL (\d+)")
_NO_LOG = "it has no LISTEN and NOTIFY, and no row that many writers may change in turn at this rate"
_OTHERS = (
    ("CockroachDB", "CockroachDB", f"{_NO_LOG}, since its transactions are serializable"),
    ("YugabyteDB", r"-YB-", "its LISTEN and NOTIFY are not ready, and each event would need a vote of several nodes"),
    ("Amazon Redshift", "Redshift", "it is an analytical database, without row locks and enforced keys"),
    ("Greenplum", "Greenplum|Cloudberry", "it is an analytical database, which locks whole tables for updates"),
    ("Materialize", "[Mm]aterialize", "it keeps views of other data, and its transactions do not both read and write"),
    ("RisingWave", "RisingWave", "it keeps views of streams, and has no transactions"),
    ("CrateDB", "CrateDB", "it has no transactions"),
    ("QuestDB", "QuestDB", "it is a database of time series, without row locks"),
    ("openGauss", r"openGauss|GaussDB", "it comes from PostgreSQL 9.2 and lacks what came since"),
    ("CedarDB", "CedarDB", "it is another implementation, which was not tried"),
)  # fmt: skip
"""Name, what ``version()`` has of it, and why it will not do."""


def refusal(version: str) -> str | None:
    """Say why a server with this ``version()`` will not do; None for PostgreSQL of a version that will."""
    for name, sign, reason in _OTHERS:
        if re.search(sign, version):
            return f"the server is {name}, not PostgreSQL: {reason}"
    found = _VERSION.match(version)
    if found is None:
        return f"the server is not PostgreSQL: it calls itself {version[:80]!r}"
    if int(found[1]) < OLDEST:
        return f"the server is PostgreSQL {found[1]}; {OLDEST} or newer is needed"
    return None
