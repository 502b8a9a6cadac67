"""Parser of PostgreSQL's connection strings: ``key=value`` pairs and URIs, as libpq reads them (server section 8).

Errors say where something is wrong and never repeat what stands there: any part of the text may be a password, above
all where its quotes or its percent-encoding are missing.
"""

from __future__ import annotations

import re

from wfx.domain.errors import StoreUnusable
from wfx.store.postgres.keywords import KEYWORDS

_SCHEMES = ("postgresql://", "postgres://")
_OTHER_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,40}://")
_BLANK = re.compile(r"[ \t\n\v\f\r]*")
_NAME = re.compile(r"[^= \t\n\v\f\r]*")
_BARE = re.compile(r"(?:\\(?:.|\Z)|[^\\ \t\n\v\f\r])*", re.DOTALL)
_QUOTED = re.compile(r"'((?:\\.|[^\\'])*)'", re.DOTALL)
_ESCAPE = re.compile(r"\\(.|\Z)", re.DOTALL)
_BAD_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_PLAIN_NAME = re.compile(r"[A-Za-z_]{1,40}")
_ALIASES = {"database": "dbname"}
_URI = "the URI of the storage option"


def parse(text: str) -> dict[str, str]:
    """Return the value of each keyword that the text has. Raises StoreUnusable."""
    if "\0" in text:
        raise _wrong("the storage option has a NUL character")
    for scheme in _SCHEMES:
        if text.startswith(scheme):
            return _Uri(text, len(scheme)).parse()
    if other := _OTHER_SCHEME.match(text):
        raise _wrong(
            f"the storage option begins with {other[0]}, but a URI of PostgreSQL with postgres:// or postgresql://"
        )
    return _pairs(text)


def _pairs(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    before, position = "", _BLANK.match(text).end()  # type: ignore[union-attr]  # matches anything
    while position < len(text):
        name, start = _NAME.match(text, position)[0], position  # type: ignore[index]  # matches anything
        position = _BLANK.match(text, position + len(name)).end()  # type: ignore[union-attr]  # as above
        if text[position : position + 1] != "=":
            raise _wrong(f"the storage option lacks a = after what begins at character {start + 1}{_hint(before)}")
        keyword = _keyword(name, f"at character {start + 1}", before)
        position = _BLANK.match(text, position + 1).end()  # type: ignore[union-attr]  # as above
        quoted = text.startswith("'", position)
        value = _QUOTED.match(text, position) if quoted else _BARE.match(text, position)
        if value is None:
            raise _wrong(f"the value of {keyword} in the storage option begins with a quote, and has none at its end")
        found[keyword] = _ESCAPE.sub(r"\1", value[value.lastindex or 0])
        before, position = keyword, _BLANK.match(text, value.end()).end()  # type: ignore[union-attr]  # as above
    return found


def _hint(before: str) -> str:
    return f", after the value of {before}: a value with blanks needs single quotes around it" if before else ""


def _keyword(name: str, where: str, before: str = "") -> str:
    """Return the keyword that a name stands for; before it came the value of another, perhaps not to its end."""
    keyword = _ALIASES.get(name, name)
    if keyword in KEYWORDS:
        return keyword
    if before in ("password", "sslpassword") or not _PLAIN_NAME.fullmatch(name):
        raise _wrong(f"the storage option has no known parameter {where}{_hint(before)}")
    raise _wrong(
        f"the storage option has the parameter {name} {where}, which is not known; "
        f"settings of the server are given as options='-c name=value'"
    )


class _Uri:
    """A URI on its way through the parser."""

    def __init__(self, text: str, start: int) -> None:
        self._found: dict[str, str] = {}
        self._text = text[start:]

    def parse(self) -> dict[str, str]:
        rest = self._credentials(self._text)
        if "@" in rest:  # perhaps the rest of a password
            raise _wrong(
                f"{_URI} has an @ where none belongs; within a password or another part, write @ as %40, / as %2F"
            )
        place, _, query = rest.partition("?")
        hosts, _, database = place.partition("/")
        self._hosts(hosts)
        self._store("dbname", database, "the name of the database")
        for each in query.removesuffix("&").split("&") if query else ():
            self._parameter(each)
        return self._found

    def _credentials(self, text: str) -> str:
        """Take user and password from the front; returns what is behind them."""
        end = re.search(r"[@/]|$", text).start()  # type: ignore[union-attr]  # matches anything
        if text[end : end + 1] != "@":
            return text
        user, _, password = text[:end].partition(":")
        self._store("user", user, "the user")
        self._store("password", password, "the password")
        return text[end + 1 :]

    def _hosts(self, text: str) -> None:
        hosts, ports = [], []
        for each in text.split(","):
            if each.startswith("["):
                host, bracket, behind = each[1:].partition("]")
                if not (host and bracket and behind[:1] in ("", ":")):
                    raise _wrong(f"an IPv6 address in {_URI} is not as in [2001:db8::1]:5432")
                port = behind[1:]
            else:
                host, _, port = each.partition(":")
            if not re.fullmatch(r"[0-9]*", _decoded(port, "a port")):
                raise _wrong(f"a port in {_URI} is no number; a password stands before an @, with the user")
            hosts.append(host)
            ports.append(port)
        self._store("host", ",".join(hosts), "a host")
        self._store("port", ",".join(ports), "a port")

    def _parameter(self, text: str) -> None:
        name, sign, value = text.partition("=")
        name = _decoded(name, "the name of a parameter")
        if (name, value) == ("ssl", "true"):  # of JDBC
            name, value = "sslmode", "require"
        keyword = _keyword(name, "in its URI")
        if not sign or "=" in value:
            raise _wrong(f"parameter {keyword} in {_URI} must have one =; in its value, it is %3D")
        self._found[keyword] = _decoded(value, f"parameter {keyword}")

    def _store(self, keyword: str, value: str, part: str) -> None:
        if value:
            self._found[keyword] = _decoded(value, part)


def _decoded(text: str, part: str) -> str:
    if _BAD_PERCENT.search(text):
        raise _wrong(f"{part} in {_URI} has a % that two digits must follow; % itself is %25")
    decoded = re.sub(rb"%([0-9A-Fa-f]{2})", lambda found: bytes([int(found[1], 16)]), text.encode())
    if b"\0" in decoded:
        raise _wrong(f"{part} in {_URI} has a NUL character")
    try:
        return decoded.decode()
    except UnicodeDecodeError:
        raise _wrong(f"{part} in {_URI} is no UTF-8") from None


def _wrong(message: str) -> StoreUnusable:
    return StoreUnusable(message)
