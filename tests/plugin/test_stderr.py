"""What plugins write to standard error becomes log lines, no matter what it is."""

from __future__ import annotations

import logging

import pytest

from wfx.plugin.stderr import LINE_LIMIT, LINES_A_SECOND, LineForwarder


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
    return LineForwarder("p", "/p", clock)


@pytest.fixture
def clock() -> Clock:
    """Make a clock."""
    return Clock()


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Give the texts that were logged."""
    return [record.fields["msg"] for record in caplog.records]  # type: ignore[attr-defined] # set by extra


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
    assert len(forwarder._line) == LINE_LIMIT
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
    dropped = 10_000 - LINES_A_SECOND
    assert lines(caplog)[LINES_A_SECOND:] == [
        f"({dropped} lines more were not forwarded: the limit is {LINES_A_SECOND} a second)", "later",
    ]  # fmt: skip


def test_flood_at_the_end(forwarder: LineForwarder, caplog: pytest.LogCaptureFixture) -> None:
    """Lines that were dropped when a plugin ends are told as well."""
    forwarder.feed(b"line\n" * (LINES_A_SECOND + 7))
    forwarder.close()
    assert lines(caplog)[-1].startswith("(7 lines more were not forwarded")
