"""Writer of a dump to a new file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from wfx.domain.errors import StoreUnusable
from wfx.store.dump import Header, Record
from wfx.store.findings import Progress
from wfx.store.new_files import new_file

_EVERY = 1000
"""Records between two reports of progress."""


def write_dump(target: Path, dump: Iterable[bytes]) -> None:
    """Write the lines to a new file. Raises StoreUnusable."""
    try:
        with new_file(target) as partial, partial.open("r+b") as file:
            file.writelines(dump)
    except OSError as exc:
        raise StoreUnusable(f"cannot write {target}: {exc.strerror}") from exc


def reported(records: Iterator[Record], header: Header, progress: Progress) -> Iterator[Record]:
    """Yield the records, and report how many were."""
    for done, record in enumerate(records):
        if done % _EVERY == 0:
            progress("records", done, header.records)
        yield record
