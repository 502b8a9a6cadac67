"""The file of ``--results``: a row for each job of a command for many."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path

from wfx.commandline.failures import Failure, UsageFailure
from wfxctl import forms, gojson
from wfxctl.documents import Document, text

ENDINGS = (".csv", ".ndjson")
_COLUMNS = (
    ("client", ("clientId",)),
    ("id", ("id",)),
    ("outcome", ("outcome",)),
    ("state", ("state",)),
    ("code", ("error", "code")),
    ("message", ("error", "message")),
)
_HEADING = ",".join(heading for heading, _ in _COLUMNS) + "\n"
_LONGEST_LINE = 1024 * 1024

Record = Callable[[Iterable[Document]], None]


def check(name: str) -> None:
    """Raise UsageFailure for a file of which nobody knows what it shall hold."""
    if name and not name.endswith(ENDINGS):
        raise UsageFailure(f"--results {name}: its name must end in {' or '.join(ENDINGS)}")


@contextmanager
def opened(name: str, *, going_on: bool) -> Iterator[Record]:
    """Yield what writes rows: when it returns, all of them are in the file, and when it fails, none of them.

    A command that is resumed adds to the file; any other one begins it anew. Raises Failure for a file that cannot be
    written, or that holds something else.
    """
    if not name:
        yield lambda _: None
        return
    with _failures_named(name):
        file = Path(name).open("ab+" if going_on else "wb", buffering=0)  # noqa: SIM115
    lines = _csv_lines if name.endswith(".csv") else _json_lines
    with file:
        with _failures_named(name):
            if os.fstat(file.fileno()).st_size:
                _check_that_it_is_ours(name, file)
            elif name.endswith(".csv"):
                _write(file, _HEADING)
        yield lambda items: _record(name, file, "".join(lines(items)))


def _record(name: str, file: FileIO, rows: str) -> None:
    with _failures_named(name):
        _write(file, rows)


def _write(file: FileIO, rows: str) -> None:
    left, size = memoryview(rows.encode("utf-8", "replace")), os.fstat(file.fileno()).st_size
    try:
        while left:
            left = left[file.write(left) :]
    except OSError:
        with suppress(OSError):  # pipes and the like cannot forget
            file.truncate(size)
        raise


@contextmanager
def _failures_named(name: str) -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        raise Failure(f"cannot write {name}: {exc.strerror}") from exc


def _check_that_it_is_ours(name: str, file: FileIO) -> None:
    """Raise Failure unless rows can be added to what the file has: it may be another file, or be cut off."""
    file.seek(0)
    first = file.readline(_LONGEST_LINE)
    file.seek(-1, os.SEEK_END)
    if file.read(1) != b"\n":
        raise Failure(f"{name} ends in the middle of a row: mend it, or go on with another file")
    if first != _HEADING.encode() if name.endswith(".csv") else not _is_row(first):
        raise Failure(f"{name} is not a file of results: go on with the one of the command before, or with a new one")


def _is_row(line: bytes) -> bool:
    try:
        return bool(text(gojson.decode(line), "outcome"))
    except ValueError:
        return False


def _json_lines(items: Iterable[Document]) -> Iterator[str]:
    return (gojson.encode(item) + "\n" for item in items)


def _csv_lines(items: Iterable[Document]) -> Iterator[str]:
    return (forms.csv_line([forms.cell(text(item, *path)) for _, path in _COLUMNS]) + "\n" for item in items)
