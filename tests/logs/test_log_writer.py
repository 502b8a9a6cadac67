"""Writer of log lines: several processes may write to one pipe."""

from __future__ import annotations

import logging
import os

from wfx.log_writer import LogWriter


def test_lines_are_not_torn() -> None:
    """Lines of writers that share a pipe stay whole, also when its reader is slow."""
    reading, writing = os.pipe()
    writers = [LogWriter(writing) for _ in range(3)]
    for _ in range(1000):
        for letter, writer in zip("abc", writers, strict=True):
            writer.emit(logging.makeLogRecord({"msg": letter * 300}))
    received = b""
    while received.count(b"\n") < 3000:
        received += os.read(reading, 700)
    os.close(writing)
    os.close(reading)
    assert sorted(set(received.split(b"\n"))) == [b"", b"a" * 300, b"b" * 300, b"c" * 300]


def test_long_lines() -> None:
    """A line that is longer than a pipe takes at once is written whole between others."""
    reading, writing = os.pipe()
    writer = LogWriter(writing)
    for size in (10, 100_000, 4095, 4096, 10):
        writer.emit(logging.makeLogRecord({"msg": "x" * size}))
    received = b""
    while received.count(b"\n") < 5:
        received += os.read(reading, 65536)
    os.close(writing)
    os.close(reading)
    assert list(map(len, received.split(b"\n"))) == [10, 100_000, 4095, 4096, 10, 0]
