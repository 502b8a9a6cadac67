"""The commands ``wfx export`` and ``wfx import``."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple

from wfx.commandline.failures import EXIT_OK, Failure, UsageFailure
from wfx.commandline.invocation import Invocation
from wfx.commandline.progress import shown
from wfx.commandline.terminal import neutralise
from wfx.domain.errors import StoreError, StoreUnusable
from wfx.store.backend_kinds import backend_kind
from wfx.store.directory_sync import sync_directory
from wfx.store.dump import DumpReader, Header, Record, lines
from wfx.store.findings import Progress

_STANDARD_STREAM = "-"
_EVERY = 1000
"""Records between two reports of progress."""
_OWNER_ONLY = 0o600
_LONGEST_HEADER, LONGEST_LINE = 4096, 256 * 1024 * 1024
"""Bytes of a line that are read: of the first few, so that a large file of another kind is not taken for one line."""
_DATABASE = b"SQLite format 3\0"
_SERVER = re.compile(r"postgres(ql)?://|\w+ *=")
"""Connection strings of PostgreSQL."""


class _Source(NamedTuple):
    """Records to import."""

    header: Header
    records: Iterable[Record]
    refusal: Callable[[object], StoreUnusable]
    """Makes an exception that names the source, and where in it something is wrong."""


def run_export(call: Invocation) -> int:
    """Write the store as a dump to a new file, or to standard output. Raises Failure."""
    target = _argument(call, "wfx export", "the file to write, or - for standard output")
    kind = backend_kind(call.settings.text("storage"))
    try:
        with shown(call.err) as progress, kind.dump(call.settings.text("storage-opt")) as (header, records):
            dump = lines(header, _reported(records, header, progress))
            if target == _STANDARD_STREAM:
                for line in dump:
                    call.out.data(line)
                return EXIT_OK
            _write(Path(target), dump)
    except StoreError as exc:
        raise Failure(neutralise(str(exc))) from exc
    call.out.line(f"wrote {target} ({_extent(header)})")
    return EXIT_OK


def run_import(call: Invocation) -> int:
    """Make the store of a dump, of another store, or of a database of the reference. Raises Failure."""
    source = _argument(call, "wfx import", "the dump or database to read, or - for a dump on standard input")
    kind = backend_kind(call.settings.text("storage"))
    try:
        with shown(call.err) as progress, _opened(source, call) as opened:
            try:
                option = call.settings.text("storage-opt")
                place = kind.restore(option, opened.header, opened.records, progress)
            except ValueError as exc:
                raise opened.refusal(exc) from exc
    except StoreError as exc:
        raise Failure(neutralise(str(exc))) from exc
    call.out.line(f"imported into {place} ({_extent(opened.header)})")
    return EXIT_OK


def _argument(call: Invocation, command: str, what: str) -> str:
    if len(call.arguments) != 1:
        raise UsageFailure(f"{command} takes one argument, {what}; {len(call.arguments)} were given")
    return call.arguments[0]


def _reported(records: Iterator[Record], header: Header, progress: Progress) -> Iterator[Record]:
    for done, record in enumerate(records):
        if done % _EVERY == 0:
            progress("records", done, header.records)
        yield record


def _write(target: Path, dump: Iterable[bytes]) -> None:
    """Write a new file, which gets its name when it is whole and on disk."""
    partial = target.parent / f"{target.name}.partial"
    try:
        _require_new(target)
        _make(partial)
    except OSError as exc:
        raise StoreUnusable(f"cannot write {target}: {exc.strerror}") from exc
    try:
        _write_durably(partial, dump)
        _require_new(target)
        partial.rename(target)
        sync_directory(target.parent)
    except OSError as exc:
        raise StoreUnusable(f"cannot write {target}: {exc.strerror}") from exc
    finally:
        partial.unlink(missing_ok=True)


def _write_durably(partial: Path, dump: Iterable[bytes]) -> None:
    with partial.open("r+b") as file:
        file.writelines(dump)
        file.flush()
        os.fsync(file.fileno())


def _require_new(target: Path) -> None:
    if os.path.lexists(target):
        raise FileExistsError(0, "File exists; name a new file")


def _make(partial: Path) -> None:
    """Make a file that no other export is writing and that nobody else may read."""
    try:
        os.close(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY))
    except FileExistsError as exc:
        reason = f"{partial} exists, of another export or one that was killed; remove it if none is running"
        raise FileExistsError(0, reason) from exc


@contextmanager
def _opened(source: str, call: Invocation) -> Iterator[_Source]:
    if source == _STANDARD_STREAM:
        yield _dump_of("standard input", call.stdin)
        return
    if _SERVER.match(source):
        kind = backend_kind("postgres")
        with kind.dump(source) as (header, records):
            yield _Source(header, records, lambda reason: StoreUnusable(f"{kind.describe(source)}: {reason}"))
        return
    try:
        file = Path(source).open("rb")  # noqa: SIM115 - it is closed below, where errors are others'
        is_database = file.peek(len(_DATABASE)).startswith(_DATABASE)
    except OSError as exc:
        raise StoreUnusable(f"cannot read {source}: {exc.strerror}") from exc
    with file:
        if not is_database:
            yield _dump_of(source, file)
            return
    with backend_kind("sqlite").dump(Path(source).absolute().as_uri()) as (header, records):
        yield _Source(header, records, lambda reason: StoreUnusable(f"{source}: {reason}"))


def _dump_of(name: str, file: BinaryIO) -> _Source:
    reader = DumpReader(name, _lines_of(file))
    return _Source(reader.header, reader.records(), reader.refusal)


def _lines_of(file: BinaryIO) -> Iterator[bytes]:
    """Yield the lines of a file. Raises OSError for one that is longer than any record is."""
    line = file.readline(_LONGEST_HEADER)
    while line:
        yield line
        line = file.readline(LONGEST_LINE + 1)
        if len(line) > LONGEST_LINE:
            raise OSError(errno.EFBIG, f"it has more than {LONGEST_LINE} bytes")


def _extent(header: Header) -> str:
    parts = {
        "workflows": header.workflows, "jobs": header.jobs, "events": header.events, "consumers": header.consumers,
    }  # fmt: skip
    return ", ".join(f"{name}: {count:,}" for name, count in parts.items())
