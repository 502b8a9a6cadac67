"""Where to connect, and how: what the parameters of a connection say, complete and checked."""

from __future__ import annotations

import ipaddress
import os
import pwd
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

from wfx.domain.errors import StoreUnusable
from wfx.store.postgres.parameters import Parameter, gather, home
from wfx.store.postgres.passfile import password_for

_SOCKET_DIRECTORIES = ("/run/postgresql", "/var/run/postgresql", "/tmp")  # noqa: S108  # where servers have their sockets
_PORT = 5432
_MOST_PORTS = 65535
_LEAST_TIMEOUT = 2.0
_PROGRAM = "wfx"
_TLS = (
    "sslrootcert", "sslcert", "sslkey", "sslpassword", "sslcrl", "ssl_min_protocol_version", "ssl_max_protocol_version"
)  # fmt: skip
_TLS_FILES = ("sslrootcert", "sslcert", "sslkey", "sslcrl")
_SYSTEM = "system"
_KEEPALIVES = ("keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout")


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """Where one of the servers of a target is, and its password."""

    host: str
    """A name, an address, or the directory of a Unix socket."""
    port: int
    name: str
    """What password files and tokens call it: the name of the host, also where its address is given."""
    given: str = field(default="", repr=False)
    """The password, if one is given."""
    passfile: Path | None = None
    """The file that may have one else."""

    def password(self, database: str, user: str) -> str | None:
        """Return the password as it is now; None if there is none."""
        if self.given or self.passfile is None:
            return self.given or None
        return password_for(self.passfile, self.name, self.port, database, user)

    @property
    def is_unix(self) -> bool:
        """Whether this is a Unix socket."""
        return self.host.startswith("/")

    def __str__(self) -> str:
        """Return host and port, for messages."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Target:
    """The servers of which one is the primary, and what each connection to it is made with."""

    servers: tuple[ServerAddress, ...]
    user: str
    database: str
    application_name: str
    connect_timeout: float | None
    """Seconds for each server; None if nothing is said."""
    options: str
    """Command-line options for the session, such as ``-c work_mem=8MB``."""
    sslmode: str
    direct_tls: bool
    system_authorities: bool
    """Whether the server's certificate is checked by the authorities that the system trusts."""
    tls: Mapping[str, str] = field(repr=False)
    """What TLS is made with, by the names of connection strings."""
    keepalive: Mapping[str, int]
    shuffle: bool
    needs_primary: bool
    """Whether it says that a standby will not do, not even for programs that only read."""

    def tried(self) -> tuple[ServerAddress, ...]:
        """Return the servers in the order in which to try them."""
        return tuple(random.sample(self.servers, len(self.servers))) if self.shuffle else self.servers

    @property
    def tls_source(self) -> str:
        """Return a URI that has what TLS is made with, and nothing else."""
        return f"postgresql://?{urlencode(self.tls)}" if self.tls else "postgresql://"

    def __str__(self) -> str:
        """Say where the data is, without secrets."""
        return f"{self.database} on {', '.join(map(str, self.servers))}"


def read_target(option: str, environment: Mapping[str, str] | None = None) -> Target:
    """Read a storage option, and what it leaves open from the environment. Raises StoreUnusable."""
    environment = os.environ if environment is None else environment
    found = gather(option, environment)
    text = {name: parameter.value for name, parameter in found.items()}
    user = text.get("user") or _account()
    database = text.get("dbname") or user
    target = Target(
        servers=_servers(found, _passfile(text, environment)),
        user=user,
        database=database,
        application_name=text.get("application_name") or text.get("fallback_application_name") or _PROGRAM,
        connect_timeout=_timeout(text.get("connect_timeout", "")),
        options=text.get("options", ""),
        sslmode=text.get("sslmode", "prefer"),
        direct_tls=text.get("sslnegotiation") == "direct",
        system_authorities=text.get("sslrootcert") == _SYSTEM,
        tls={name: text[name] for name in _TLS if text.get(name) and text[name] != _SYSTEM},
        keepalive={name: int(text[name]) for name in _KEEPALIVES if text.get(name)},
        shuffle=text.get("load_balance_hosts") == "random",
        needs_primary=text.get("target_session_attrs", "any") != "any",
    )
    _check_tls(target, found)
    return target


def _account() -> str:
    """Return the name of the account that the program runs as, whatever variables say."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        raise StoreUnusable(
            f"the account {os.geteuid()} has no name that could be that of the database user: give user or PGUSER"
        ) from None


def _passfile(text: Mapping[str, str], environment: Mapping[str, str]) -> Path | None:
    if text.get("passfile"):
        return Path(text["passfile"])
    directory = home(environment)
    return directory / ".pgpass" if directory else None


def _servers(found: Mapping[str, Parameter], passfile: Path | None) -> tuple[ServerAddress, ...]:
    names, addresses = _listed(found, "host"), _listed(found, "hostaddr")
    if names and addresses and len(names) != len(addresses):
        raise StoreUnusable(
            f"{found['hostaddr'].origin} has {len(addresses)} entries, but there are {len(names)} hosts"
        )
    count = max(len(names), len(addresses)) or 1
    ports = _ports(found, count)
    given = found["password"].value if "password" in found else ""
    servers = []
    for name, address, port in zip(names or [""] * count, addresses or [""] * count, ports, strict=True):
        if address:
            _check_address(address, found["hostaddr"].origin)
        known = "localhost" if name in _SOCKET_DIRECTORIES else name or address or "localhost"
        servers.append(ServerAddress(address or name or _default_host(port), port, known, given, passfile))
    return tuple(servers)


def _listed(found: Mapping[str, Parameter], name: str) -> list[str]:
    value = found[name].value if name in found else ""
    return [each.strip() for each in value.split(",")] if value else []


def _ports(found: Mapping[str, Parameter], count: int) -> list[int]:
    said = _listed(found, "port") or [""]
    if len(said) not in (1, count):
        raise StoreUnusable(f"{found['port'].origin} has {len(said)} entries, but there are {count} hosts")
    if any(each and not (each.isascii() and each.isdecimal() and 0 < int(each) <= _MOST_PORTS) for each in said):
        raise StoreUnusable(f"{found['port'].origin} must be a number from 1 to {_MOST_PORTS}")
    ports = [int(each or _PORT) for each in said]
    return ports if len(ports) == count else ports * count


def _check_address(address: str, origin: str) -> None:
    try:
        ipaddress.ip_address(address)
    except ValueError:
        raise StoreUnusable(f"{origin} must be an IP address; a name goes into host") from None


def _default_host(port: int) -> str:
    """Return the directory that has a server's socket, else the machine itself."""
    having = (each for each in _SOCKET_DIRECTORIES if Path(each, f".s.PGSQL.{port}").exists())
    return next(having, "localhost")


def _timeout(text: str) -> float | None:
    seconds = int(text or 0)
    return max(float(seconds), _LEAST_TIMEOUT) if seconds > 0 else None


def _check_tls(target: Target, found: Mapping[str, Parameter]) -> None:
    if target.system_authorities and target.sslmode != "verify-full":
        raise StoreUnusable(
            "sslrootcert=system needs sslmode=verify-full: anybody may have a certificate of those authorities"
        )
    if target.direct_tls and target.sslmode not in ("require", "verify-ca", "verify-full"):
        raise StoreUnusable("sslnegotiation=direct needs sslmode=require, verify-ca or verify-full")
    if target.sslmode == "verify-full" and _listed(found, "hostaddr"):
        raise StoreUnusable(
            "hostaddr cannot go with sslmode=verify-full, which checks the name of the server: use host"
        )
    if target.sslmode == "disable":
        return
    for name in _TLS_FILES:
        if name in target.tls:
            try:
                Path(target.tls[name]).open("rb").close()
            except OSError as exc:
                raise StoreUnusable(
                    f"{found[name].origin} names the file {target.tls[name]}, which cannot be read: {exc.strerror}"
                ) from exc
