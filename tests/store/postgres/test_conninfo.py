"""Connection strings of PostgreSQL."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.store.postgres import libpq
from wfx.domain.errors import StoreUnusable
from wfx.store.postgres import conninfo
from wfx.store.postgres.keywords import KEYWORDS

CANARY = "canary"
PAIRS = (
    "", "   ", "host=db", " host = db  port=5433 ", "host='a b'", r"password='it\'s' user=me", r"password=a\ b",
    r"password=\'x", "host=''", "host=", "host=a host=b", "password='x'port=1", "password=a=b", "user=\tme\nport=1",
    "password='a\nb'", "user=ä", "password='\\\\'", "password=x\\", "options='-c work_mem=8MB -c jit=on'",
    "host=a,b port=1,2", "host", "host user=x", "= x", "host='x", "nonsense=1", "HOST=x", "host=a password",
)  # fmt: skip
URIS = (
    "postgres://", "postgresql://", "postgres:///x", "postgres://h", "postgres://h:1", "postgres://h:1/d",
    "postgres://u@h", "postgres://u:p@h/d", "postgres://u:@h", "postgres://:p@h", "postgres://@h", "postgres://u:p:q@h",
    "postgres://u%40x:p%2F%3a@h/d%20e", "postgres://[::1]", "postgres://[::1]:7/d", "postgres://a,b:2,[::1]:3/d",
    "postgres://,", "postgres://a,/d", "postgres://:5/d", "postgres://h?sslmode=require", "postgres://h/d?user=x&",
    "postgres://h/?host=/run/x&port=7", "postgres://%2Frun%2Fx/d", "postgres://h/d?ssl=true", "postgres://h/d?ssl=false",
    "postgres://u:p?q@h/d", "postgres://h/a/b", "postgres://[::1", "postgres://[]", "postgres://[::1]x", "postgres://h/d?a",
    "postgres://h/d?host", "postgres://h/d?host=a=b", "postgres://h/d?no=1", "postgres://h/d?&", "postgres://%zz",
    "postgres://%00", "postgres://h/%4", "postgresql://h?application_name=a%26b", "Postgres://h", "postgres:/h",
    "postgres://h/d?%68ost=x", "mysql://u:p@h/d",
)  # fmt: skip


def ours(text: str) -> dict[str, str] | None:
    """What is read; None if it is refused."""
    try:
        return conninfo.parse(text)
    except StoreUnusable:
        return None


@pytest.mark.parametrize("text", [*PAIRS, *URIS])
def test_as_libpq(text: str) -> None:
    """A connection string says what it says to PostgreSQL's own programs, and is wrong where it is for them."""
    assert ours(text) == libpq.parse(text)


WORDS = st.sampled_from(
    ["host", "user", "password", "sslmode", "x", "1", "=", "=", " ", "'", "\\", "%", "%41", "ä", "\n", "é", ","]
)


@given(st.lists(WORDS, max_size=12).map("".join))
@example("host=\\")
def test_pairs_as_libpq(text: str) -> None:
    """So it is with pairs of all kinds."""
    assert ours(text) == libpq.parse(text)


@given(
    st.lists(
        st.sampled_from(["h", "user", "1", ":", ":", "@", "/", "?", "&", "=", "[", "]", "%", "%41", ","]), max_size=12
    )
)
def test_uris_as_libpq(words: list[str]) -> None:
    """So it is with URIs, but for those in which a part of a password may be taken for a host, a port or a name."""
    text = "postgres://" + "".join(words)
    found, theirs = ours(text), libpq.parse(text)
    ambiguous = found is None and ("@" in text or (theirs is not None and not theirs.get("port", "").isdecimal()))
    assert ambiguous or found == theirs


def test_table() -> None:
    """Each parameter that libpq knows is known, with its environment variable."""
    theirs = {name: said.variable for name, said in libpq.defaults().items()}
    assert len(theirs) > 30
    assert {name: KEYWORDS[name].variable for name in theirs} == theirs


def test_database() -> None:
    """The database may be named by database, too."""
    assert conninfo.parse("database=fleet") == conninfo.parse("dbname=fleet") == {"dbname": "fleet"}


@pytest.mark.parametrize(
    "text",
    [
        f"password=my {CANARY}", f"password=my {CANARY}=x", f"password=my {CANARY} host=db", f"password='{CANARY}",
        f"user=me password='it's {CANARY}'", f"password='a'{CANARY}=x", f"sslpassword=a {CANARY}=b",
        f"postgres://me:{CANARY}", f"postgres://me:a/{CANARY}@db/fleet", f"postgres://me:a@{CANARY}@db/fleet",
        f"postgres://me:a/b?{CANARY}=c@db", f"postgres://me:a?{CANARY}=b", f"postgres://me:%{CANARY}@db",
        f"postgres://me:{CANARY}%00@db", f"postgres://me:{CANARY}%ff@db", f"postgres://me:{CANARY}@[::1/d",
        f"password={CANARY} host", f"password={CANARY}\0", f"postgres://me@db/d?password={CANARY}&no=1",
        f"postgres://me@db/d?password={CANARY}=x", f"pass={CANARY}", f"{CANARY}@db/fleet", f"mysql://me:{CANARY}@db=x",
    ],
)  # fmt: skip
def test_no_password_in_errors(text: str) -> None:
    """What is said about a wrong connection string has no part of a password, also where its quotes are missing."""
    with pytest.raises(StoreUnusable) as caught:
        conninfo.parse(text)
    assert CANARY not in str(caught.value)
    assert "storage option" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("host=db nonsense=1", "has the parameter nonsense at character 9, which is not known"),
        ("host=db port", "lacks a = after what begins at character 9"),
        ("password=my secret", "after the value of password: a value with blanks needs single quotes around it"),
        ("postgres://me:a@b@db", "within a password or another part, write @ as %40, / as %2F"),
        ("postgresql+asyncpg://h/d", "begins with postgresql+asyncpg://, but a URI of PostgreSQL with postgres:// or"),
        ("mysql://me@h/d", "begins with mysql://, but a URI of PostgreSQL with postgres:// or postgresql://"),
        ("postgres://h/d?x=1", "has the parameter x in its URI, which is not known"),
    ],
)
def test_errors(text: str, message: str) -> None:
    """Errors name what is wrong and where, and say what to do."""
    with pytest.raises(StoreUnusable) as caught:
        conninfo.parse(text)
    assert message in str(caught.value)
