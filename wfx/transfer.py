"""The commands ``wfx export`` and ``wfx import``."""

from __future__ import annotations

import errno
import io
import os
import re
import shlex
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple

from wfx.commandline.failures import EXIT_OK, Failure, UsageFailure
from wfx.commandline.invocation import Invocation
from wfx.commandline.progress import shown
from wfx.commandline.terminal import neutralise
from wfx.config.encryption import sealing_for
from wfx.config.masking import without_passwords
from wfx.domain.errors import StoreError, StoreUnusable
from wfx.protection.sealing import Sealing
from wfx.store.backend_kinds import backend_kind
from wfx.store.dump import DumpReader, Header, Record, lines
from wfx.store.dump_file import reported, write_dump
from wfx.store.sealed_dump import BEGIN, opened_lines, sealed_lines

_STANDARD_STREAM = "-"
_LONGEST_HEADER, LONGEST_LINE = 4096, 256 * 1024 * 1024
"""Bytes of a line that are read: of the first few, so that a large file of another kind is not taken for one line."""
_BUFFER = 256 * 1024
_DATABASE = b"SQLite format 3\0"
_GZIP = b"\x1f\x8b"
_ADDRESS = re.compile(rb"\s*([A-Za-z][A-Za-z0-9+.-]{0,40}://|\w+ *=)")
"""Beginning of a connection string of PostgreSQL, or of an address of something else."""


class _Source(NamedTuple):
    """Records to import."""

    header: Header
    records: Iterable[Record]
    refusal: Callable[[object], StoreUnusable]
    """Makes an exception that names the source, and where in it something is wrong."""


def run_export(call: Invocation) -> int:
    """Write the store as a dump to a new file, or to standard output; sealed if the options say so. Raises Failure."""
    target = _argument(call, "wfx export", "the file to write, or - for standard output")
    kind, sealing = backend_kind(call.settings.text("storage")), sealing_for(call.settings)
    try:
        with shown(call.err) as progress, kind.dump(call.settings.text("storage-opt"), sealing) as (header, records):
            dump = lines(header, reported(records, header, progress))
            if sealing is not None and sealing.seals:
                dump = sealed_lines(sealing, dump)
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
                sealing = sealing_for(call.settings)
                place = kind.restore(option, opened.header, opened.records, progress, sealing)
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
    """Open what is to be imported; a file is what its content says, whatever its name."""
    if source == _STANDARD_STREAM:
        yield _dump_of("standard input", call.stdin, sealing_for(call.settings))
        return
    is_address = _ADDRESS.match(os.fsencode(source)) and not os.path.exists(source)  # noqa: PTH110 - too long a name is no file
    sealing = sealing_for(call.settings)
    with _server(source, "the address", sealing) if is_address else _opened_file(source, sealing) as opened:
        yield opened


@contextmanager
def _opened_file(path: str, sealing: Sealing | None) -> Iterator[_Source]:
    if not path:
        raise StoreUnusable("an empty text names no dump or database")
    try:
        file = io.BufferedReader(io.FileIO(path), _BUFFER)
        start = file.peek(_LONGEST_HEADER)
    except OSError as exc:
        shown = re.sub(":.*@", ":***@", without_passwords(path))  # it may have been meant as an address
        raise StoreUnusable(f"cannot read {shown}: {exc.strerror}") from exc
    with file:
        if start.startswith(_GZIP):
            raise StoreUnusable(f"{path} is compressed: gunzip -c {shlex.quote(path)} | wfx import -")
        if not start.startswith(_DATABASE) and not _ADDRESS.match(start):
            yield _dump_of(path, file, sealing)
            return
        text = os.fsdecode(file.read(_LONGEST_HEADER)).strip()
    with (
        _server(text, path, sealing)
        if _ADDRESS.match(start)
        else _database("sqlite", Path(path).absolute().as_uri(), sealing) as opened
    ):
        yield opened


def _server(address: str, source: str, sealing: Sealing | None) -> AbstractContextManager[_Source]:
    """Open a PostgreSQL database; ``source`` is where the address was given."""
    try:
        backend_kind("postgres").probe(address)
    except StoreUnusable as exc:
        raise StoreUnusable(f"{source} is wrong: {exc}") from exc
    return _database("postgres", address, sealing)


@contextmanager
def _database(name: str, place: str, sealing: Sealing | None) -> Iterator[_Source]:
    kind = backend_kind(name)
    with kind.dump(place, sealing) as (header, records):
        yield _Source(header, records, lambda reason: StoreUnusable(f"the source {kind.describe(place)}: {reason}"))


def _dump_of(name: str, file: BinaryIO, sealing: Sealing | None) -> _Source:
    reader = DumpReader(name, opened_lines(name, _lines_of(file), sealing))
    return _Source(reader.header, reader.records(), reader.refusal)


def _lines_of(file: BinaryIO) -> Iterator[bytes]:
    """Yield the lines of a file. Raises OSError for one that is longer than any record is."""
    line = file.readline(_LONGEST_HEADER)
    most = LONGEST_LINE * 3 // 2 if line.startswith(BEGIN) else LONGEST_LINE  # sealed, a record is in base64
    while line:
        yield line
        line = file.readline(most + 1)
        if len(line) > most:
            raise OSError(errno.EFBIG, f"it has more than {most} bytes")


def _extent(header: Header) -> str:
    parts = {
        "workflows": header.workflows, "jobs": header.jobs, "events": header.events, "consumers": header.consumers,
        "devices": header.devices,
    }  # fmt: skip
    return ", ".join(f"{name}: {count:,}" for name, count in parts.items())
