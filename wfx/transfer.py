"""The commands ``wfx export`` and ``wfx import``."""

from __future__ import annotations

import errno
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
from wfx.store.dump import DumpReader, Header, Record, lines
from wfx.store.dump_file import reported, write_dump

_STANDARD_STREAM = "-"
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
            dump = lines(header, reported(records, header, progress))
            if target == _STANDARD_STREAM:
                for line in dump:
                    call.out.data(line)
                return EXIT_OK
            write_dump(Path(target), dump)
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
