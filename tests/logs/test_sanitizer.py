"""What is hidden in log records: secrets and personal data in any text, in every format, in bounded time."""

from __future__ import annotations

import json
import logging
import random
from collections.abc import Iterator
from typing import Any

import pytest

from tests.logs.journal import parsed
from wfx import logs
from wfx.logs import journal
from wfx.logs.masks import Mask
from wfx.logs.patterns import LONGEST_PATTERN, custom
from wfx.logs.record import LONGEST, use
from wfx.logs.sanitizer import MOST_SEARCHES, Sanitizer

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"


def shown(text: str, *patterns: str) -> str:
    """Return a text as it is logged."""
    return Sanitizer(Mask(), custom(patterns)).clean(text)


@pytest.mark.parametrize(("text", "clean"), [
    ("mail from a@b.io", "mail from [REDACTED:email]"),
    ("a@b.io,Jane.Doe+x@mail.example.com;", "[REDACTED:email],[REDACTED:email];"),
    ("clientId=a%40b.io&limit=2", "clientId=[REDACTED:email]&limit=2"),
    ("jürgen@müller.de", "[REDACTED:email]"),
    ("call +49 89 636-48018 now", "call [REDACTED:phone] now"),
    ("(555) 123-4567 or 555.123.4567", "[REDACTED:phone] or [REDACTED:phone]"),
    ("tel=089 63648018", "tel=[REDACTED:phone]"),
    ("4111 1111 1111 1111", "[REDACTED:card]"),
    ("4111-1111-1111-1111, 5500000000000004", "[REDACTED:card], [REDACTED:card]"),
    ("378282246310005 and 123", "[REDACTED:card] and 123"),
    ("4111 1111 1111 1111 123", "[REDACTED:card] 123"),
    ("ssn 078-05-1120.", "ssn [REDACTED:ssn]."),
    ("key sk-abcdefghijklmnop1234", "key [REDACTED:api-key]"),
    ("AKIAIOSFODNN7EXAMPLE", "[REDACTED:api-key]"),
    ("ghp_abcdefghijklmnopqrstuvwxyz0123456789", "[REDACTED:api-key]"),
    ("X-Api-Key: 12ab", "X-Api-Key: [REDACTED:api-key]"),
    (f"got {JWT}", "got [REDACTED:jwt]"),
    ("Authorization: Bearer abc", "Authorization: Bearer [REDACTED:bearer]"),
    ("bearer 0123456789abcdef", "bearer [REDACTED:bearer]"),
    ("authorization: Basic dXNlcjpwYXNz", "authorization: [REDACTED:authorization]"),
    ("postgres://wfx:se:cr@et@db/wfx", "postgres://wfx:[REDACTED:credentials]@db/wfx"),
    ("postgres://wfx:*x@db/wfx", "postgres://wfx:[REDACTED:credentials]@db/wfx"),
    ("postgres://wfx:****@db/wfx", "postgres://wfx:[REDACTED:credentials]@db/wfx"),
    ("wfx:hunter2@tcp(db)/wfx", "wfx:[REDACTED:credentials]@tcp(db)/wfx"),
    ("password=hunter2&x=1", "password=[REDACTED:secret]&x=1"),
    ('{"password": "two words", "n": 1}', '{"password": "[REDACTED:secret]", "n": 1}'),
    (r'"{\"token\":\"two words\"}"', r'"{\"token\":\"[REDACTED:secret]\"}"'),
    ("-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----\nrest", "[REDACTED:private-key]\nrest"),
    ("\ud800 a@b.io \x00", "\ud800 [REDACTED:email] \x00"),
])  # fmt: skip
def test_what_is_hidden(text: str, clean: str) -> None:
    """Each kind of secret is hidden, and what stands beside it is not."""
    assert shown(text) == clean
    assert shown(clean) == clean, "a second time changes nothing"


@pytest.mark.parametrize("text", [
    "job created",
    "/api/wfx/v1/jobs/0155e1a0-0123-4567-8901-234567890123/status",
    "4e5adc1cd0cf1d2fb0c1a53e1b42aa2c-1234567",
    "127.0.0.1:8081 192.168.100.200:55123 [2001:db8::1]:8080",
    "2026-01-29T10:00:00.123456Z 2026-01-29 10:00:00",
    "4111 1111 1111 1112",
    "1764435480123456 bytes",
    "wfx.workflow.dau.direct wfx@.service",
    "postgres://wfx:***@db/wfx",
    "no password was given; the token is missing",
    "",
])  # fmt: skip
def test_what_is_shown(text: str) -> None:
    """Ids, addresses, times and numbers that are none of a card are shown."""
    assert shown(text) == text


def test_without_types() -> None:
    """Without types, eight characters stand for what is hidden, whatever its length."""
    assert Sanitizer(Mask(show_type=False)).clean("a@b.io x 4111111111111111") == "******** x ********"
    assert Sanitizer(Mask("#", show_type=False)).clean("a@b.io") == "########"


def test_own_patterns() -> None:
    """Operators name what else is hidden; their patterns go before the others."""
    assert shown("SN-123456 of EMP1@b.io", "serial=SN-[0-9]{6}", "employee=EMP[0-9]+") == (
        "[REDACTED:serial] of [REDACTED:employee]@b.io"
    )
    assert shown("abc a@b.io", "x=(a)(b)(c)") == "[REDACTED:x] [REDACTED:email]"


@pytest.mark.parametrize(("text", "reason"), [
    ("no name", "is no pattern such as"),
    ("two words=x", "is no pattern such as"),
    ("x=", "matches the empty text"),
    ("x=a*", "matches the empty text"),
    ("x=(a", "missing"),
    ("x=(?=a)b", "invalid perl operator"),
    (r"x=(a)\1", "invalid escape"),
    ("x=(?P<y>a)", "named group"),
    ("x=" + "a" * (LONGEST_PATTERN + 1), "more than 512 characters"),
    ("x=((a{1,100}){1,100}){1,100}", "cannot be used"),
])  # fmt: skip
def test_patterns_that_are_refused(text: str, reason: str) -> None:
    """A pattern that cannot be used, or not in linear time, is refused with the reason."""
    with pytest.raises(ValueError, match=reason):
        custom([text])


HOSTILE = {
    "dots": "a." * 20_000,
    "almost addresses": "a@" * 20_000,
    "addresses": "a@b.io " * 6_000,
    "keys": "sk-aaaaaaaaaaaaaaaa." * 2_000,
    "almost tokens": "eyJaaaaaa." * 4_000,
    "digits": "4 " * 20_000,
    "almost numbers": "555-123-" * 5_000,
    "open quotes": 'password="' * 4_000,
    "anything": "".join(random.Random(1).choices("abc.@+-_19 :/=\"'\\", k=40_000)),
    "own pattern": "b" + "a" * 40_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_texts(name: str) -> None:
    """However a message of 40 KB is made, it takes a bounded number of searches in it, each of linear time."""
    sanitizer = Sanitizer(Mask(), custom(["own=(a|aa)+c|b|a"]))
    places: list[int] = []
    search = sanitizer._search

    def counted(text: bytes, place: int) -> Any:
        places.append(place)
        return search(text, place)

    sanitizer._search = counted
    clean = sanitizer.clean(HOSTILE[name])
    assert len(places) <= MOST_SEARCHES
    assert places == sorted(set(places)), "each begins behind the one before"
    assert len(places) < MOST_SEARCHES or clean.endswith("too much in this text looks secret")


def test_too_many_secrets() -> None:
    """Of a text with more secrets than are looked for the rest is not shown at all."""
    clean = shown("a@b.io, " * 500 + "the end")
    assert clean.count("[REDACTED:email]") == MOST_SEARCHES - 1
    assert "a@b.io" not in clean
    assert "the end" not in clean
    assert shown("a@b.io, " * (MOST_SEARCHES - 2) + "the end").endswith("[REDACTED:email], the end")


@pytest.fixture
def _hidden() -> Iterator[None]:
    """Records are sanitized."""
    use(Mask(), Sanitizer(Mask()))
    yield
    use(Mask(), None)


def as_json(record: logging.LogRecord) -> dict[str, Any]:
    """Show a record as its JSON has it."""
    document: dict[str, Any] = json.loads(logs.Json().format(record))
    return document


def as_entry(record: logging.LogRecord) -> dict[str, Any]:
    """Show a record as the journal has it, with the keys of JSON."""
    return {name.lower(): value for name, value in parsed(journal.encode(record)).items()}


def failed(**fields: object) -> logging.LogRecord:
    """Make a record with a secret everywhere."""
    error = (ValueError, ValueError("for a@b.io"), None)
    record = logging.LogRecord("wfx", logging.ERROR, "file.py", 1, "of %s", ("a@b.io",), error)
    record.__dict__["fields"] = fields
    return record


@pytest.mark.usefixtures("_hidden")
@pytest.mark.parametrize("form", [as_json, as_entry])
def test_all_of_a_record(form: Any) -> None:
    """Message, fields, also nested ones, and traceback are sanitized; numbers stay numbers."""
    document = form(failed(plain="a@b.io", deep={"a@b.io": ["a@b.io"]}, other=ValueError("a@b.io"), n=4111111111111111))
    assert "a@b.io" not in json.dumps(document)
    assert document["message"] == "of [REDACTED:email]"
    assert document["error"].endswith("ValueError: for [REDACTED:email]")
    assert str(document["n"]) == "4111111111111111"


@pytest.mark.usefixtures("_hidden")
def test_all_of_a_line() -> None:
    """The lines for people are sanitized like the others."""
    line = logs.Pretty(colour=False).format(failed(plain="a@b.io", tls=False, on=True))
    assert "a@b.io" not in line
    assert "of [REDACTED:email] plain=[REDACTED:email] on=true\n" in line, "what is false is left out"


@pytest.mark.usefixtures("_hidden")
def test_long_texts() -> None:
    """Of a text that is too long its beginning is shown, without the half of a secret at its end."""
    for secret in (JWT, "a@b.io"):
        text = "word" * (LONGEST // 4 - 1) + " " + secret * 100
        document = as_json(logging.LogRecord("wfx", logging.INFO, "f.py", 1, text, (), None))
        assert document["message"].startswith("wordword")
        assert secret[:3] not in document["message"]
        assert "characters more" in document["message"]


def test_record_that_cannot_be_formatted(capfd: pytest.CaptureFixture[str], tmp_path: Any) -> None:
    """A record whose message does not go with its arguments is replaced by one that says so, without these."""
    from wfx.log_writer import LogWriter

    with (tmp_path / "log").open("wb") as out:
        writer = LogWriter(out.fileno())
        writer.setFormatter(logs.Json())
        writer.emit(logging.LogRecord("wfx", logging.INFO, "odd.py", 3, "%d", ("a@b.io",), None))
        writer.flush()
    document = json.loads((tmp_path / "log").read_text())
    assert document["message"] == "a log record cannot be formatted"
    assert document["origin"] == "odd.py:3"
    assert "a@b.io" not in (tmp_path / "log").read_text() + capfd.readouterr().err
