"""Table of the parameters of PostgreSQL's connection strings: their variables, and what each may be.

libpq has them all. What the driver cannot do is refused where it would be missed, above all where it protects.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

Check = Callable[[str], str | None]
"""Says what is wrong with a value, to follow the name of its parameter; None if nothing is."""


@dataclass(frozen=True, slots=True)
class Keyword:
    """A parameter of connection strings."""

    variable: str | None = None
    """The environment variable that gives it if nothing else does."""
    check: Check = lambda _: None


def _one_of(*allowed: str) -> Check:
    return lambda value: None if value in allowed else f"must be one of {', '.join(allowed)}"


def _number(value: str) -> str | None:
    return None if re.fullmatch(r"\s*[+-]?\d{1,9}\s*", value, re.ASCII) or not value else "must be a number"


def _only(*allowed: str, reason: str) -> Check:
    said = " or ".join(allowed)
    return lambda value: (
        None if value in ("", *allowed) else f"{f'may be {said} only' if said else 'is not supported'}: {reason}"
    )


_SWITCH = _one_of("0", "1")
_TLS_VERSION = _one_of("", "TLSv1.2", "TLSv1.3")

KEYWORDS = {
    "service": Keyword("PGSERVICE"),
    "host": Keyword("PGHOST"),
    "hostaddr": Keyword("PGHOSTADDR"),
    "port": Keyword("PGPORT"),
    "dbname": Keyword("PGDATABASE"),
    "user": Keyword("PGUSER"),
    "password": Keyword("PGPASSWORD"),
    "passfile": Keyword("PGPASSFILE"),
    "connect_timeout": Keyword("PGCONNECT_TIMEOUT", _number),
    "target_session_attrs": Keyword(
        "PGTARGETSESSIONATTRS", _only("any", "read-write", "primary", reason="changes need a server that can write")
    ),
    "load_balance_hosts": Keyword("PGLOADBALANCEHOSTS", _one_of("disable", "random")),
    "application_name": Keyword("PGAPPNAME"),
    "fallback_application_name": Keyword(),
    "options": Keyword("PGOPTIONS"),
    "client_encoding": Keyword("PGCLIENTENCODING"),
    "replication": Keyword(None, _only("false", "off", "no", "0", reason="the store needs plain connections")),
    "keepalives": Keyword(None, _number),
    "keepalives_idle": Keyword(None, _number),
    "keepalives_interval": Keyword(None, _number),
    "keepalives_count": Keyword(None, _number),
    "tcp_user_timeout": Keyword(None, _number),
    "sslmode": Keyword("PGSSLMODE", _one_of("disable", "allow", "prefer", "require", "verify-ca", "verify-full")),
    "sslnegotiation": Keyword("PGSSLNEGOTIATION", _one_of("postgres", "direct")),
    "sslrootcert": Keyword("PGSSLROOTCERT"),
    "sslcert": Keyword("PGSSLCERT"),
    "sslkey": Keyword("PGSSLKEY"),
    "sslpassword": Keyword(),
    "sslcrl": Keyword("PGSSLCRL"),
    "sslcrldir": Keyword("PGSSLCRLDIR", _only(reason="give the revoked certificates as one file, sslcrl")),
    "sslcertmode": Keyword("PGSSLCERTMODE", _only("allow", reason="a certificate is shown if there is one")),
    "sslcompression": Keyword("PGSSLCOMPRESSION", _SWITCH),
    "sslsni": Keyword("PGSSLSNI", _only("1", reason="the server's name is always sent")),
    "ssl_min_protocol_version": Keyword("PGSSLMINPROTOCOLVERSION", _TLS_VERSION),
    "ssl_max_protocol_version": Keyword("PGSSLMAXPROTOCOLVERSION", _TLS_VERSION),
    "requirepeer": Keyword("PGREQUIREPEER", _only(reason="who runs the server is not checked")),
    "require_auth": Keyword("PGREQUIREAUTH", _only(reason="the server chooses how it authenticates")),
    "channel_binding": Keyword(
        "PGCHANNELBINDING", _only("disable", "prefer", reason="the driver has none; use sslmode=verify-full")
    ),
    "gssencmode": Keyword("PGGSSENCMODE", _only("disable", "prefer", reason="the driver has no GSSAPI encryption")),
    "gssdelegation": Keyword("PGGSSDELEGATION", _only("0", reason="credentials are not handed on")),
    "gsslib": Keyword("PGGSSLIB", _only("gssapi", reason="there is no other here")),
    "krbsrvname": Keyword("PGKRBSRVNAME"),
}
"""By their names; ``database`` is another one of ``dbname``."""
