"""What a connection is made with, from the storage option, service files and environment variables."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.store.postgres import libpq
from wfx.domain.errors import StoreUnusable
from wfx.store.postgres.keywords import KEYWORDS
from wfx.store.postgres.parameters import gather
from wfx.store.postgres.passfile import password_for
from wfx.store.postgres.target import read_target

CANARY = "canary"
HERE = {"PGHOST": "db", "PGUSER": "me", "HOME": "/nonexistent"}
VARIABLES = {
    "PGHOST": "db,other", "PGPORT": "5433", "PGUSER": "me", "PGPASSWORD": CANARY, "PGDATABASE": "fleet",
    "PGSSLMODE": "require", "PGSSLROOTCERT": "/ca.pem", "PGSSLCERT": "/cert.pem", "PGSSLKEY": "/key.pem",
    "PGAPPNAME": "here", "PGCONNECT_TIMEOUT": "7", "PGTARGETSESSIONATTRS": "read-write", "PGPASSFILE": "/pass",
    "PGOPTIONS": "-c jit=on", "PGHOSTADDR": "10.0.0.1,10.0.0.2",
}  # fmt: skip
SERVICES = """
# a comment
[other]
host=wrong

[fleet]
 host=db
port=5433
user = ignored by none
"""


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """An environment without PostgreSQL's variables, with a home of its own."""
    for name in [name for name in os.environ if name.startswith("PG")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    return monkeypatch


def as_libpq() -> dict[str, str | None]:
    """What libpq has of the environment variables that are set."""
    return {name: said.value for name, said in libpq.defaults().items() if (said.variable or "") in os.environ}


def ours(option: str = "") -> dict[str, str]:
    """What is found in all places."""
    return {name: parameter.value for name, parameter in gather(option, os.environ).items()}


def test_bytes_that_are_no_text(plain: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A variable with bytes that are no UTF-8 is named, and its value is not shown; the name of a file may have any."""
    plain.setenv("PGPASSFILE", os.fsdecode(bytes(tmp_path) + b"/\xff"))
    plain.setenv("PGPASSWORD", os.fsdecode(CANARY.encode() + b"\xff"))
    with pytest.raises(StoreUnusable) as caught:
        read_target("")
    assert str(caught.value) == "environment variable PGPASSWORD has bytes that are no UTF-8"
    plain.delenv("PGPASSWORD")
    assert read_target("").servers[0].password("", "") is None


def test_variables(plain: pytest.MonkeyPatch) -> None:
    """Each environment variable says what it says to PostgreSQL's own programs."""
    for name, value in VARIABLES.items():
        plain.setenv(name, value)
        assert ours() == as_libpq(), name
    assert len(ours()) == len(VARIABLES)


def test_option_wins(plain: pytest.MonkeyPatch) -> None:
    """What the storage option says counts, and not the environment."""
    plain.setenv("PGHOST", "wrong")
    plain.setenv("PGUSER", "me")
    assert ours("host=right") == {"host": "right", "user": "me"}


@pytest.mark.parametrize("where", ["file", "home"])
def test_service(plain: pytest.MonkeyPatch, tmp_path: Path, where: str) -> None:
    """A service stands for what its section of the service file says, which counts before the environment."""
    file = tmp_path / ".pg_service.conf"
    file.write_text(SERVICES.replace("user = ignored by none\n", "user=me\nport=1\n"))
    if where == "file":
        file = file.rename(tmp_path / "services")
        plain.setenv("PGSERVICEFILE", str(file))
    plain.setenv("PGSERVICE", "fleet")
    plain.setenv("PGHOST", "wrong")
    found = ours()
    assert found.pop("service") == "fleet"
    assert found == {"host": "db", "port": "5433", "user": "me"}
    assert found == {name: libpq.defaults()[name].value for name in found}
    assert ours("service=fleet host=mine")["host"] == "mine"


def test_wrong_service(plain: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A service that no file has, and a wrong line, are named with the file; what the line says is not shown."""
    file = tmp_path / "services"
    plain.setenv("PGSERVICEFILE", str(file))
    with pytest.raises(StoreUnusable, match=r"the service file .*services cannot be read: No such file"):
        gather("service=fleet", os.environ)
    file.write_text(SERVICES + f"{CANARY} = {CANARY}")
    with pytest.raises(StoreUnusable, match=r"there is no section \[none\] for the service in .*services"):
        gather("service=none", os.environ)
    with pytest.raises(StoreUnusable, match=r"line 9, in section \[fleet\] of .*services, is not one") as caught:
        gather("service=fleet", os.environ)
    assert CANARY not in str(caught.value)


@pytest.mark.parametrize(
    ("option", "places"),
    [
        ("", "db:5432"),
        ("port=7", "db:7"),
        ("host=a,b", "a:5432, b:5432"),
        ("host=a,b port=7", "a:7, b:7"),
        ("host=a,b,c port=7,,8", "a:7, b:5432, c:8"),
        ("host=::1", "[::1]:5432"),
        ("postgres://a:1,[::2]:2,c/x", "a:1, [::2]:2, c:5432"),
        ("host=name hostaddr=10.0.0.1", "10.0.0.1:5432"),
        ("hostaddr=10.0.0.1,::1 host='' port=1,2", "10.0.0.1:1, [::1]:2"),
        ("host=/run/db", "/run/db:5432"),
    ],
)
def test_places(option: str, places: str) -> None:
    """Hosts and ports make the list of servers."""
    assert str(read_target(option, HERE)).partition(" on ")[2] == places


def test_defaults() -> None:
    """What nothing is said about is what it is with libpq; the program is named to the server."""
    target = read_target("", {"HOME": "/nonexistent", "PGUSER": "me"})
    assert (target.user, target.database, target.application_name) == ("me", "me", "wfx")
    assert (target.sslmode, target.connect_timeout, target.options) == ("prefer", None, "")
    assert target.servers[0].host == "localhost" or target.servers[0].host.endswith("/postgresql")
    assert read_target("fallback_application_name=x", HERE).application_name == "x"
    assert read_target("connect_timeout=1", HERE).connect_timeout == 2.0
    assert read_target("connect_timeout=0", HERE).connect_timeout is None


def test_user(plain: pytest.MonkeyPatch) -> None:
    """Without a user it is the account that the program runs as; one without a name is told what to give."""
    plain.setenv("LOGNAME", "somebody")
    assert read_target("").user == libpq.defaults()["user"].value
    plain.setattr("os.geteuid", lambda: 4_000_000_001)
    with pytest.raises(StoreUnusable, match=r"the account 4000000001 has no name .* give user or PGUSER"):
        read_target("host=db")
    assert read_target("user=me").database == "me"


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("sslmode=secure", "parameter sslmode of the storage option must be one of disable, allow, prefer"),
        ("port=0", "parameter port of the storage option must be a number from 1 to 65535"),
        ("port=x", "parameter port of the storage option must be a number"),
        ("host=a,b,c port=1,2", "parameter port of the storage option has 2 entries, but there are 3 hosts"),
        ("host=a hostaddr=10.0.0.1,10.0.0.2", "hostaddr of the storage option has 2 entries, but there are 1 hosts"),
        ("hostaddr=db", "parameter hostaddr of the storage option must be an IP address"),
        ("connect_timeout=soon", "parameter connect_timeout of the storage option must be a number"),
        ("target_session_attrs=standby", "may be any or read-write or primary only: changes need a server that can"),
        ("channel_binding=require", "may be disable or prefer only: the driver has none; use sslmode=verify-full"),
        ("require_auth=scram-sha-256", "is not supported: the server chooses how it authenticates"),
        ("requirepeer=postgres", "is not supported: who runs the server is not checked"),
        ("gssencmode=require", "may be disable or prefer only"),
        ("sslrootcert=system", "sslrootcert=system needs sslmode=verify-full"),
        ("sslnegotiation=direct", "sslnegotiation=direct needs sslmode=require"),
        ("sslmode=verify-full hostaddr=10.0.0.1", "hostaddr cannot go with sslmode=verify-full"),
        ("sslrootcert=/nonexistent/ca", "names the file /nonexistent/ca, which cannot be read: No such file"),
    ],
)
def test_errors(option: str, message: str) -> None:
    """A wrong value is refused with the name of its parameter, where it is, and what it may be."""
    with pytest.raises(StoreUnusable) as caught:
        read_target(option, HERE)
    assert message in str(caught.value)


def test_error_in_variable() -> None:
    """Where an environment variable is wrong, it is named."""
    with pytest.raises(StoreUnusable, match=r"^environment variable PGSSLMODE must be one of"):
        read_target("", {**HERE, "PGSSLMODE": "on"})


def test_empty_variable() -> None:
    """An empty environment variable says nothing."""
    assert read_target("", {**HERE, "PGSSLMODE": "", "PGPORT": ""}).sslmode == "prefer"


LINES = r"""
# *:*:*:*:no
db:5432:fleet:me:first
db:*:fleet:other:sec\:ond
*:*:*:me\:too:third:what follows
localhost:*:*:*:fourth\\
\*:*:*:*:no
short:*:*:*
*:1:*:*:*
"""


@pytest.mark.parametrize(
    ("host", "port", "user", "password"),
    [
        ("db", 5432, "me", "first"),
        ("db", 5433, "me", None),
        ("db", 5432, "other", "sec:ond"),
        ("elsewhere", 7, "me:too", "third"),
        ("localhost", 7, "me", "fourth\\"),
        ("short", 5432, "me", ""),
        ("x", 1, "me", "*"),
    ],
)
def test_passfile(tmp_path: Path, host: str, port: int, user: str, password: str | None) -> None:
    r"""The first line that fits has the password; a backslash makes : and \ plain."""
    file = tmp_path / "pass"
    file.write_text(LINES)
    file.chmod(0o600)
    assert password_for(file, host, port, "fleet", user) == password


def test_passfile_of_each_host(plain: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Each host has its own password; the socket's directory counts as localhost, and a password that is given wins."""
    (tmp_path / ".pgpass").write_text("a:*:*:*:of a\nb:*:*:*:of b\nlocalhost:*:*:*:local\n")
    (tmp_path / ".pgpass").chmod(0o600)
    plain.setenv("PGUSER", "me")
    assert [passwords("host=a,b,c"), passwords("host=a hostaddr=10.0.0.1")] == [["of a", "of b", None], ["of a"]]
    assert passwords("host=/var/run/postgresql") == passwords("") == ["local"]
    assert passwords("host=a password=given") == ["given"]


def test_passfile_is_read_again(plain: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A password that is changed in the file is used for the next connection."""
    plain.setenv("PGUSER", "me")
    target = read_target("host=a")
    for word in ("first", "second"):
        (tmp_path / ".pgpass").write_text(f"a:*:*:*:{word}\n")
        (tmp_path / ".pgpass").chmod(0o600)
        assert target.servers[0].password("me", "me") == word


def passwords(option: str) -> list[str | None]:
    """The password of each host."""
    target = read_target(option)
    return [place.password(target.database, target.user) for place in target.servers]


def test_passfile_for_all(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A password file that others may read is ignored, and the log says so."""
    file = tmp_path / "pass"
    file.write_text(f"*:*:*:*:{CANARY}")
    file.chmod(0o640)
    assert password_for(file, "db", 1, "fleet", "me") is None
    assert "others may read it; its permissions must be 0600" in caplog.text
    assert CANARY not in caplog.text


def test_no_secrets_are_shown() -> None:
    """A target that is printed, in whatever way, shows no password."""
    target = read_target(f"host=db password={CANARY} sslpassword={CANARY}", HERE)
    assert target.servers[0].password("x", "y") == CANARY
    assert CANARY not in f"{target} {target!r} {target.servers!r} {gather(f'password={CANARY}', {})!r}"


def test_documentation() -> None:
    """Each parameter and each variable is in the guide."""
    guide = (Path(__file__).parents[3] / "docs/postgresql.md").read_text()
    words = set(re.findall(r"`(\w+)`", guide))
    names = {*KEYWORDS, *(keyword.variable for keyword in KEYWORDS.values() if keyword.variable)}
    assert names - words == set()
