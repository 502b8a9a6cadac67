"""What plugins write to standard error becomes log lines, no matter what it is."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from wfx.logs.masks import Mask
from wfx.logs.record import content_of, set_sanitizer
from wfx.logs.sanitizer import Sanitizer
from wfx.plugin.stderr import (
    BYTES_A_SECOND,
    LAST_LINE_LIMIT,
    LAST_LINES,
    LINE_LIMIT,
    LINES_A_SECOND,
    MARGIN,
    LineForwarder,
)


class Clock:
    """A clock that a test moves."""

    now = 0.0

    def __call__(self) -> float:
        """Tell the time."""
        return self.now


@pytest.fixture
def forwarder(clock: Clock, caplog: pytest.LogCaptureFixture) -> LineForwarder:
    """Forward for a plugin p at /p."""
    caplog.set_level(logging.DEBUG, "wfx.plugin")
    return LineForwarder("p", "/p", list[int]().append, clock)


@pytest.fixture
def clock() -> Clock:
    """Make a clock."""
    return Clock()


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Give the texts that were logged, as records show them."""
    return [str(content_of(record).fields["msg"]) for record in caplog.records]


def test_lines(forwarder: LineForwarder, caplog: pytest.LogCaptureFixture) -> None:
    """Each line is a debug record that names the plugin and its path; the last needs no line end."""
    for piece in (b"one\ntw", b"o\n", b"\n", b"end"):
        forwarder.feed(piece)
    forwarder.close()
    assert lines(caplog) == ["one", "two", "", "end"]
    record = caplog.records[0]
    assert (record.levelno, record.getMessage()) == (logging.DEBUG, "plugin p")
    assert record.fields["path"] == "/p"  # type: ignore[attr-defined] # set by extra


def test_long_lines(forwarder: LineForwarder, caplog: pytest.LogCaptureFixture) -> None:
    """Of a line of 10 MB the beginning is kept, and the rest counted; the next line is whole again."""
    for _ in range(100):
        forwarder.feed(b"x" * 100_000)
    assert len(forwarder._line) == LINE_LIMIT + MARGIN
    forwarder.feed(b"\nnext\n")
    assert lines(caplog) == ["x" * LINE_LIMIT + f" … and {10_000_000 - LINE_LIMIT} bytes more", "next"]


def test_binary(forwarder: LineForwarder, caplog: pytest.LogCaptureFixture) -> None:
    """Bytes that are no text are shown as such."""
    forwarder.feed(b"\xff\xfe ok \xc3\xbc\n")
    assert lines(caplog) == ["\\xff\\xfe ok ü"]


def test_flood(forwarder: LineForwarder, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    """Beyond a number of lines in one second they are counted instead; the next second starts afresh."""
    for _ in range(10):
        forwarder.feed(b"line\n" * 1000)
    assert lines(caplog) == ["line"] * LINES_A_SECOND
    clock.now = 1.0
    forwarder.feed(b"later\n")
    limit = f"{LINES_A_SECOND} lines and {BYTES_A_SECOND} bytes a second"
    dropped = f"({10_000 - LINES_A_SECOND} lines more were not forwarded: the limit is {limit})"
    assert lines(caplog)[LINES_A_SECOND:] == [dropped, "later"]


def test_flood_at_the_end(forwarder: LineForwarder, caplog: pytest.LogCaptureFixture) -> None:
    """Lines that were dropped when a plugin ends are told as well."""
    forwarder.feed(b"line\n" * (LINES_A_SECOND + 7))
    forwarder.close()
    assert lines(caplog)[-1].startswith("(7 lines more were not forwarded")


@pytest.mark.parametrize("fed", [b"", b"flood\n" * (LINES_A_SECOND + 1)], ids=["quiet", "in a flood"])
@pytest.mark.parametrize("piece", [1, 7, 100_000])
def test_the_last_lines(forwarder: LineForwarder, fed: bytes, piece: int) -> None:
    """The last twenty lines are remembered, also beyond what is forwarded, also one that has no end yet."""
    forwarder.feed(fed)
    text = b"\n".join(b"line %d" % number for number in range(100))
    for at in range(0, len(text), piece):
        forwarder.feed(text[at : at + piece])
    assert forwarder.last.split("\n") == [f"line {number}" for number in range(100 - LAST_LINES, 100)]
    forwarder.feed(b"\n")
    assert forwarder.last.split("\n") == [f"line {number}" for number in range(100 - LAST_LINES, 100)]


def test_few_last_lines(forwarder: LineForwarder) -> None:
    """Before there are twenty, all are remembered; of a long one the beginning."""
    assert forwarder.last == ""
    forwarder.feed(b"one\n<6>two\n\n" + b"x" * 5_000 + b"\n\xff")
    assert forwarder.last == "one\ntwo\n\n" + "x" * LAST_LINE_LIMIT + "\n\\xff"
    forwarder.feed(b"y" * 5_000)
    assert forwarder.last.endswith("\n\\xff" + "y" * (LAST_LINE_LIMIT - 1))


def test_priorities(caplog: pytest.LogCaptureFixture) -> None:
    """A line may begin with a priority, which is not forwarded; error and worse are noted as failures, once a line."""
    caplog.set_level(logging.DEBUG, "wfx.plugin")
    failures: list[tuple[str, int]] = []
    forwarder = LineForwarder("p", "/p", lambda count: failures.append((lines(caplog)[-1], count)), Clock())
    for priority in range(10):
        forwarder.feed(b"<%d>is %d\n" % (priority, priority))
    forwarder.feed(b" <3>later\n<3\n3>\n<3 >\n<33>\n<3>\n")
    marked = [f"is {priority}" for priority in range(8)]
    assert lines(caplog) == [*marked, "<8>is 8", "<9>is 9", " <3>later", "<3", "3>", "<3 >", "<33>", ""]
    assert failures == [("is 0", 1), ("is 1", 1), ("is 2", 1), ("is 3", 1), ("", 1)]
    assert {record.levelno for record in caplog.records} == {logging.DEBUG}


@pytest.mark.parametrize("piece", [1, 7, 100_000])
def test_failures_in_a_flood(piece: int) -> None:
    """Failures are counted also where lines are not forwarded any more."""
    counts: list[int] = []
    forwarder = LineForwarder("p", "/p", counts.append, Clock())
    text = b"<3>failed\nbecause\nof <3>\n" * (LINES_A_SECOND + 100)
    for at in range(0, len(text), piece):
        forwarder.feed(text[at : at + piece])
    forwarder.feed(b"<3>no end")
    assert sum(counts) == LINES_A_SECOND + 100


def test_flood_of_long_lines(forwarder: LineForwarder, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    """The bytes of a second are bounded like its lines: secrets are looked for in each."""
    for _ in range(100):
        forwarder.feed((b"x" * 8_000 + b"\n") * 5)
    shown = lines(caplog)
    assert sum(map(len, shown)) < BYTES_A_SECOND + 5 * 8_000
    clock.now = 1.0
    forwarder.feed(b"later\n")
    assert lines(caplog)[-2].startswith(f"({500 - len(shown)} lines more were not forwarded")
    assert lines(caplog)[-1] == "later"


@pytest.fixture
def _hidden() -> Iterator[None]:
    """Records are sanitized."""
    set_sanitizer(Mask(), Sanitizer(Mask()))
    yield
    set_sanitizer(Mask(), None)


@pytest.mark.usefixtures("_hidden")
@pytest.mark.parametrize("limit", [LINE_LIMIT, LAST_LINE_LIMIT])
@pytest.mark.parametrize("secret", ["4111 1111 1111 1111", "jane.doe@mail.example", "password=hunter2hunter2"])
@pytest.mark.parametrize("in_front", range(1, 24, 3))
def test_secrets_where_lines_are_cut(
    forwarder: LineForwarder, caplog: pytest.LogCaptureFixture, limit: int, secret: str, in_front: int
) -> None:
    """No part of a secret is shown where a line is cut, neither in the log nor with a failure."""
    forwarder.feed(b"x" * (limit - in_front - 1) + b" " + secret.encode() + b" and more\n")
    for text in (*lines(caplog), forwarder.last):
        shown = text.partition("password=")[2] if secret.startswith("pass") else text
        assert not any(part in shown for part in ("411", "jane", "hun"))


KEY = "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEA\nAbCdEf==\n-----END RSA PRIVATE KEY-----\nafter\n"


@pytest.mark.usefixtures("_hidden")
@pytest.mark.parametrize("flood", [0, LINES_A_SECOND + 1])
def test_keys(forwarder: LineForwarder, caplog: pytest.LogCaptureFixture, flood: int) -> None:
    """The lines of a private key are not shown, neither in the log nor with a failure; what follows is."""
    forwarder.feed(b"line\n" * flood)
    forwarder.feed(KEY.encode() + b"line\n" * (LAST_LINES - 3))
    assert "after" in forwarder.last
    for text in (*lines(caplog), content_of(failed(forwarder)).message):
        assert "MIIE" not in text
        assert "AbCd" not in text
    forwarder.feed(KEY.encode()[:40])
    assert "MIIE" not in content_of(failed(forwarder)).message


@pytest.mark.usefixtures("_hidden")
@pytest.mark.parametrize("flood", [0, LINES_A_SECOND + 1])
def test_first_line_of_a_key_without_the_others(
    forwarder: LineForwarder, caplog: pytest.LogCaptureFixture, flood: int
) -> None:
    """A plugin that repeats the first line of a key, which a client may have sent, goes on being heard."""
    forwarder.feed(b"line\n" * flood)
    forwarder.feed(b"asked for -----BEGIN PRIVATE KEY-----\nERROR: no such job\nMIIEowIBAAKCAQEA\nit goes on\n")
    assert all(line in forwarder.last for line in ("ERROR: no such job", "MIIEowIBAAKCAQEA", "it goes on"))
    if not flood:
        assert "ERROR: no such job" in lines(caplog)


def failed(forwarder: LineForwarder) -> logging.LogRecord:
    """Make a record of a failure."""
    return logging.LogRecord("wfx", logging.ERROR, "f.py", 1, "%s", (forwarder.last,), None)


@pytest.mark.usefixtures("_hidden")
@pytest.mark.parametrize("flood", [0, LINES_A_SECOND + 1])
@pytest.mark.parametrize("piece", [1, 7, 100_000])
@pytest.mark.parametrize("in_front", [*range(LINE_LIMIT + MARGIN - 30, LINE_LIMIT + MARGIN + 1, 10), 3 * LINE_LIMIT])
def test_keys_behind_long_lines(
    forwarder: LineForwarder, caplog: pytest.LogCaptureFixture, flood: int, piece: int, in_front: int
) -> None:
    """A private key that begins in a part of a line that is not kept is not shown; nor is it where it ends in one."""
    forwarder.feed(b"line\n" * flood + b"{" * in_front)
    begin, *key, end, after, _ = KEY.encode().split(b"\n")
    rest = begin + b"\n" + b"\n".join(key) + b"\n" + b"{" * in_front + end + b"\nMIIE2\n" + after
    for at in range(0, len(rest), piece):
        forwarder.feed(rest[at : at + piece])
    forwarder.feed(b"\n")
    for text in ("\n".join(lines(caplog)), content_of(failed(forwarder)).message):
        assert "MIIEow" not in text
        assert "AbCd" not in text
    assert "after" in forwarder.last


@pytest.mark.usefixtures("_hidden")
def test_a_key_that_begins_and_ends_in_a_long_line(forwarder: LineForwarder, caplog: pytest.LogCaptureFixture) -> None:
    """Behind a line with a whole key in a part that is not kept, all is shown."""
    forwarder.feed(b"{" * 3 * LINE_LIMIT + KEY.encode().replace(b"\n", b"|") + b"x" * LINE_LIMIT + b"\nMIIE2\nafter\n")
    assert lines(caplog)[-2:] == ["MIIE2", "after"]


@pytest.mark.usefixtures("_hidden")
@pytest.mark.parametrize("length", [100, LINE_LIMIT + 100, 10 * LINE_LIMIT])
def test_lines_are_sanitized_once(
    forwarder: LineForwarder, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, length: int
) -> None:
    """Secrets are looked for in a line as its record is written, and nowhere if it is not."""
    looked_at: list[str] = []
    is_harmless = Sanitizer.is_harmless

    def counted(sanitizer: Sanitizer, text: str) -> bool:
        looked_at.append(text)
        return is_harmless(sanitizer, text)

    monkeypatch.setattr(Sanitizer, "is_harmless", counted)
    caplog.set_level(logging.INFO, "wfx.plugin")
    forwarder.feed(b"x" * length + b"\n")
    assert looked_at == []
    caplog.set_level(logging.DEBUG, "wfx.plugin")
    forwarder.feed(b"x" * length + b"\n")
    assert lines(caplog)[0].startswith("x")
    assert len([text for text in looked_at if text.startswith("x")]) == 1


def test_keys_as_they_are(forwarder: LineForwarder, caplog: pytest.LogCaptureFixture) -> None:
    """Without sanitizing, all is shown."""
    forwarder.feed(KEY.encode())
    assert "\n".join(lines(caplog)) == KEY.strip()
