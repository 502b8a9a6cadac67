"""The file of ``--results``: a row for each job of a command for many."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

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

Record = Callable[[Iterable[Document]], None]


def check(name: str) -> None:
    """Raise UsageFailure for a file of which nobody knows what it shall hold."""
    if name and not name.endswith(ENDINGS):
        raise UsageFailure(f"--results {name}: its name must end in {' or '.join(ENDINGS)}")


@contextmanager
def opened(name: str, *, going_on: bool) -> Iterator[Record]:
    """Yield what writes rows; they are in the file when it returns. Raises Failure for a file that cannot be written.

    A command that is resumed adds to the file; any other one begins it anew.
    """
    if not name:
        yield lambda _: None
        return
    try:
        file = Path(name).open("a" if going_on else "w", encoding="utf-8", errors="replace", newline="")  # noqa: SIM115
    except OSError as exc:
        raise Failure(f"cannot write {name}: {exc.strerror}") from exc
    with file:
        write = _csv_writer(file) if name.endswith(".csv") else _line_writer(file)

        def record(items: Iterable[Document]) -> None:
            try:
                write(items)
                file.flush()
            except OSError as exc:
                raise Failure(f"cannot write {name}: {exc.strerror}") from exc

        record(())
        yield record


def _line_writer(file: TextIO) -> Record:
    return lambda items: file.writelines(gojson.encode(item) + "\n" for item in items)


def _csv_writer(file: TextIO) -> Record:
    import csv  # only this form needs it

    writer = csv.writer(file, lineterminator="\n")
    if file.tell() == 0:
        writer.writerow([heading for heading, _ in _COLUMNS])
    return lambda items: writer.writerows([forms.cell(text(item, *path)) for _, path in _COLUMNS] for item in items)
