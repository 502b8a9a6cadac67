"""Log records in systemd's journal, by its native protocol over a real datagram socket."""

from __future__ import annotations

import io
import logging
import os
import resource
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.logs.journal import SERVING, Journal, Journaled, parsed
from tests.waiting import eventually
from wfx import logs
from wfx.commandline.failures import EXIT_OK
from wfx.log_writer import ROOM
from wfx.logs import journal as native


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """A journal."""
    with Journal(tmp_path / "journal") as running:
        yield running


@pytest.fixture
def writer(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> native.JournalWriter:
    """What sends to it, in this process."""
    monkeypatch.setattr(native, "SOCKET", str(journal.path))
    return native.JournalWriter()


def record(message: str, level: int = logging.INFO, **fields: object) -> logging.LogRecord:
    """Make a record."""
    made = logging.LogRecord("wfx", level, "file.py", 7, message, (), None)
    made.__dict__["fields"] = fields
    return made


@pytest.mark.parametrize("form", ["journald", "auto"])
def test_service(journal: Journal, tmp_path: Path, form: str) -> None:
    """With log-format journald, or where the journal reads the output, records are entries; their keys are capitals."""
    with Journaled(tmp_path, journal, f"--log-format={form}", "--log-level=debug") as service:
        answer = httpx.get(f"{service.north}/version", headers={"X-Request-Id": "mine"}, trust_env=False)
        assert answer.status_code == 200
        (finished,) = journal.await_entries("finished")
        assert service.stop() == EXIT_OK
    journal.await_entries("wfx stopped")
    assert finished | {"DURATION": "", "REMOTEADDR": "", "CODE_LINE": "", "CALLER": "", "HOST": ""} == {
        "MESSAGE": "finished", "PRIORITY": "7", "LEVEL": "debug", "SYSLOG_IDENTIFIER": "wfx", "CALLER": "",
        "CODE_FILE": "access_log.py", "CODE_LINE": "", "REQID": "mine", "METHOD": "GET", "PATH": "/version",
        "CODE": "200", "TLS": "false", "DURATION": "", "REMOTEADDR": "", "HOST": "",
    }  # fmt: skip
    assert float(finished["DURATION"]) > 0
    assert (tmp_path / "output").read_bytes() == b"", "nothing is said anywhere else"


@pytest.mark.parametrize(("level", "priority"), [
    (logs.TRACE, "7"), (logging.DEBUG, "7"), (logging.INFO, "6"), (logging.WARNING, "4"), (logging.ERROR, "3"),
    (logging.CRITICAL, "2"),
])  # fmt: skip
def test_priorities(journal: Journal, writer: native.JournalWriter, level: int, priority: str) -> None:
    """Levels are the priorities of syslog."""
    writer.emit(record("text", level))
    assert journal.await_entries("text")[0]["PRIORITY"] == priority


def test_fields(journal: Journal, writer: native.JournalWriter) -> None:
    """Values with line breaks arrive whole and make no field of their own; names are such as the journal takes."""
    writer.emit(record("one\nPRIORITY=0", jobId="a=b", **{"_odd-näme": True}, parts={"a": ["b"]}, broken="\ud800"))
    (entry,) = journal.await_entries("one\nPRIORITY=0")
    assert entry["PRIORITY"] == "6"
    assert (entry["JOBID"], entry["ODD_N_ME"], entry["PARTS"]) == ("a=b", "true", '{"a": ["b"]}')
    assert entry["BROKEN"] == "\\ud800"


def test_large_record(journal: Journal, writer: native.JournalWriter) -> None:
    """A record that is too large for a datagram arrives as a file in memory."""
    fields: dict[str, Any] = {f"part{number}": chr(ord("a") + number) * 60_000 for number in range(8)}
    writer.emit(record("large", **fields))
    (entry,) = journal.await_entries("large")
    assert {name: entry[name.upper()] for name in fields} == fields
    assert journal.files == 1


def test_traceback(journal: Journal, writer: native.JournalWriter) -> None:
    """A traceback is a field."""
    made = record("failed", logging.ERROR)
    made.exc_info = (ValueError, ValueError("the reason"), None)
    writer.emit(made)
    assert journal.await_entries("failed")[0]["ERROR"].endswith("ValueError: the reason")


def test_journal_that_goes_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Row 58: records that no journal takes are counted; the one that comes back is told how many are missing."""
    monkeypatch.setattr(native, "SOCKET", str(tmp_path / "journal"))
    writer = native.JournalWriter()
    for number in range(3):
        writer.emit(record(f"lost {number}"))
    eventually(lambda: writer.dropped == 3, "all are lost")
    with Journal(tmp_path / "journal") as journal:
        writer.emit(record("arrives"))
        journal.await_entries("arrives")
        (missing,) = journal.await_entries("log records were dropped, since they could not be written")
    assert missing["COUNT"] == "3"


@contextmanager
def no_more_files() -> Iterator[None]:
    """Let this process open no further file."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (1, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def test_entry_that_cannot_be_sent(journal: Journal, writer: native.JournalWriter) -> None:
    """A record that is large while no file can be opened is counted, and those behind it arrive."""
    fields: dict[str, Any] = {f"part{number}": "x" * 60_000 for number in range(8)}
    entries = [native.encode(each) for each in (record("first"), record("large", **fields), record("behind"))]
    with no_more_files():
        lost = writer.write(entries)
    journal.await_entries("first")
    journal.await_entries("behind")
    assert list(lost) == [1]


def test_count_of_entries_that_cannot_be_sent(journal: Journal, writer: native.JournalWriter) -> None:
    """The next record that arrives goes with one that says how many could not be sent."""
    fields: dict[str, Any] = {f"part{number}": "x" * 60_000 for number in range(8)}
    with no_more_files():
        writer.emit(record("large", **fields))
        eventually(lambda: writer.dropped == 1, "it is counted")
    writer.emit(record("later"))
    journal.await_entries("later")
    (missing,) = journal.await_entries("log records were dropped, since they could not be written")
    assert missing["COUNT"] == "1"


def test_journal_that_stands_still(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Row 58: while the journal reads nothing, records are taken at once; those that find no room are counted."""
    monkeypatch.setattr(native, "SOCKET", str(tmp_path / "journal"))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as silent:
        silent.bind(native.SOCKET)
        writer = native.JournalWriter()
        text = "x" * 50_000
        for _ in range(ROOM // len(text) + 100):
            writer.emit(record(text))
        assert writer.dropped > 0
        assert parsed(silent.recv(1 << 20))["MESSAGE"] == text


def test_no_journal(tmp_path: Path) -> None:
    """With log-format journald on a machine without a journal the start is refused: nobody would see any record."""
    command = [sys.executable, "-c", SERVING, str(tmp_path / "none"), "--log-format=journald", "--client-port=0",
               "--mgmt-port=0", "--storage-opt=:memory:"]  # fmt: skip
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1
    assert "log-format: there is no journal to log to" in ended.stderr
    assert str(tmp_path / "none") in ended.stderr


@pytest.mark.parametrize(("variable", "reached"), [("{}:{}", True), ("{}:9{}", False), ("", False), ("x", False)])
def test_which_output_is_the_journal(
    journal: Journal, monkeypatch: pytest.MonkeyPatch, variable: str, reached: bool
) -> None:
    """The variable names device and inode of the output that the journal reads; any other output it does not read."""
    monkeypatch.setattr(native, "SOCKET", str(journal.path))
    found = os.fstat(2)
    assert native.is_reached({"JOURNAL_STREAM": variable.format(found.st_dev, found.st_ino)}) is reached


def test_streams_of_other_programs() -> None:
    """A program that logs to a stream of its own gets lines there."""
    before = logging.getLogger().handlers[:], logging.getLogger().level
    out = io.StringIO()
    try:
        logs.configure("info", "auto", out)
        logging.getLogger("wfx").info("text")
        assert '"message": "text"' in out.getvalue()
    finally:
        logging.getLogger().handlers[:] = before[0]
        logging.getLogger().setLevel(before[1])
