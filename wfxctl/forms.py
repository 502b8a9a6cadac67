"""Forms of the output: JSON, YAML, CSV, names, tables (the options ``output``, ``columns`` and ``sort-by``)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from wfx.commandline.failures import UsageFailure
from wfx.commandline.grammar import closest
from wfx.commandline.terminal import neutralise
from wfxctl import tables
from wfxctl.documents import Document, items, member
from wfxctl.invocation import ClientInvocation, Query, decoded
from wfxctl.tables import Column
from wfxctl.times import moment
from wfxctl.views import View

TABLES = ("table", "wide")
_WITH_COLUMNS = ("csv", *TABLES)
_DOCUMENTS = ("json", "yaml")
_FORMULA = re.compile(r"[\s\x00-\x1f\ufeff\u200b-\u200f]*[=+@\uff1d\uff0b\uff0d\uff20-]|[\t\r\n]")
"""How texts begin that spreadsheets take for formulas: some pass over blanks, and over what cannot be seen."""
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_WHOLE = 2**53
"""Beyond it, not every whole number is a double."""

RowWriter = Callable[[Sequence[Document]], None]


def form_of(call: ClientInvocation) -> str:
    """Return the form that is wanted: with ``--columns`` alone a table, with ``--filter`` alone JSON.

    Raises UsageFailure for options that do not go together.
    """
    settings = call.settings
    form, chosen = settings.text("output"), settings.origin("output").kind != "default"
    if settings.items("columns") and form not in _WITH_COLUMNS:
        if chosen:
            raise UsageFailure(f"--columns needs a form that has some: --output {', '.join(_WITH_COLUMNS)}")
        form, chosen = "table", True
    if settings.text("filter") and form not in _DOCUMENTS:
        if chosen:
            raise UsageFailure(f"--filter works on JSON only; leave out --output {form}")
        form = "json"
    return form


def fetch_and_show(call: ClientInvocation, path: str, query: Query, view: View) -> None:
    """Read one document, and print it in the form that is wanted."""
    check(call, view)
    show_body(call, call.fetch(call.reading_side, "GET", path, query), view)


def fetch_and_show_list(call: ClientInvocation, path: str, query: Query, view: View) -> list[Document]:
    """Read a list, print it in the form that is wanted, and return its items.

    On a terminal a table is followed by a line that tells how many items there are, unless it has them all.
    """
    check(call, view)
    counted = is_counted(call)
    body = call.fetch(call.reading_side, "GET", path, [*query, *([("pagination", "true")] if counted else [])])
    if not body:
        return []
    document = decoded(body)
    rows = show(call, document, view)
    total = member(document, "pagination", "total")
    if counted and isinstance(total, float):
        tell_count(call, len(rows), int(total))
    return rows


def is_counted(call: ClientInvocation) -> bool:
    """Whether to find out, for a person, how many items there are beside those that are shown."""
    return form_of(call) in TABLES and call.err.is_terminal


def tell_count(call: ClientInvocation, shown: int, total: int) -> None:
    """Tell how many items of all are shown, unless all are."""
    if total > shown:
        call.err.write(f"showing {shown:,} of {total:,}\n")


def tell_more(call: ClientInvocation, shown: int, total: int | None, *, are_more: bool) -> None:
    """Tell of how many items these are shown, or that others follow, or may where nobody knows that ``are_more``."""
    if total is not None:
        tell_count(call, shown, total)
    else:
        call.err.write(f"showing {shown:,} of more than {shown:,}\n" if are_more else f"showing {shown:,}, or more\n")


def tell_counted(call: ClientInvocation, shown: int, count: int, *, is_all: bool) -> None:
    """Say how many of the counted items are shown; unless ``is_all``, there may be more of them."""
    if is_all:
        tell_count(call, shown, count)
    elif count > shown:
        call.err.write(f"showing {shown:,} of {count:,} or more\n")
    else:
        call.err.write(f"showing {shown:,}, or more\n")


def show_body(call: ClientInvocation, body: str, view: View) -> None:
    """Print an answer in the form that is wanted; an empty body prints nothing."""
    if body:
        show(call, decoded(body), view)


def show(call: ClientInvocation, document: Any, view: View) -> list[Document]:
    """Print a document, or the items of a list, in the form that is wanted. Returns the items."""
    is_list = isinstance(document, dict) and "content" in document
    found = items(document, "content") if is_list else [document]
    rows = sorted_rows(call, [row for row in found if isinstance(row, dict)], view)
    write = row_writer(call, view)
    if write is not None:
        write(rows)
    else:
        is_sorted = is_list and call.settings.text("sort-by")
        show_document(call, document | {"content": rows} if is_sorted else document)
    return rows


def show_document(call: ClientInvocation, document: Any, *, following: bool = False) -> None:
    """Print a document as a whole, as JSON or YAML; YAML has a line between documents that follow each other."""
    if form_of(call) == "yaml":
        _show_yaml(call, document, following)
    else:
        call.show_value(document)


def sorted_rows(call: ClientInvocation, rows: list[Document], view: View) -> list[Document]:
    """Return rows in the order that is wanted."""
    if (by := _sorting(call, view)) is None:
        return rows
    column, backwards = by
    return sorted(rows, key=lambda row: _key(column.content(row)), reverse=backwards)


def check(call: ClientInvocation, view: View) -> None:
    """Find out whether the options make sense, before anything is asked or changed. Raises UsageFailure."""
    _columns(call, view, form_of(call))
    _sorting(call, view)


def row_writer(call: ClientInvocation, view: View) -> RowWriter | None:
    """Return what prints rows, the heading before the first ones; None for forms that show whole documents."""
    form = form_of(call)
    if form in _DOCUMENTS:
        return None
    if form == "name":  # an id of several lines would be several ids to the next command
        return lambda rows: _lines(call, [neutralise(view.identity(row)) for row in rows])
    columns = _columns(call, view, form)
    return _table(call, columns, view) if form in TABLES else _csv(call, columns)


def _columns(call: ClientInvocation, view: View, form: str) -> list[Column]:
    if wanted := call.settings.items("columns"):
        return [_column(view, name, "--columns") for name in wanted]
    if form == "table" and view.brief:
        return [_column(view, name, "a table") for name in view.brief]
    return [column for column in view.columns if form != "csv" or column.name not in view.relative]


def _column(view: View, name: str, source: str) -> Column:
    known = {column.name: column for column in view.columns}
    if name.lower() not in known:
        hint = closest(name.lower(), list(known)) or f"; there are {', '.join(known)}"
        raise UsageFailure(f'{source}: there is no column "{name}"{hint}')
    return known[name.lower()]


def _sorting(call: ClientInvocation, view: View) -> tuple[Column, bool] | None:
    """Return the column to sort by, and whether backwards."""
    name = call.settings.text("sort-by")
    return (_column(view, name.removeprefix("-"), "--sort-by"), name.startswith("-")) if name else None


def _key(content: str) -> tuple[int, float, str]:
    """Return what puts numbers in order, then times, then texts, and nothing at the end."""
    if _NUMBER.fullmatch(content):
        return 0, float(content), ""
    if (then := moment(content)) is not None:
        return 1, then, ""
    return (2, 0.0, content) if content else (3, 0.0, "")


def _table(call: ClientInvocation, columns: list[Column], view: View) -> RowWriter:
    printer, begun = tables.Printer(call, columns, view.group), False

    def write(rows: Sequence[Document]) -> None:
        nonlocal begun
        printer.write(rows, header=not begun)
        begun = True

    return write


def _csv(call: ClientInvocation, columns: list[Column]) -> RowWriter:
    begun = False

    def write(rows: Sequence[Document]) -> None:
        nonlocal begun
        heading = [] if begun else [[column.name for column in columns]]
        begun = True
        _lines(call, map(csv_line, [*heading, *([cell(column.content(row)) for column in columns] for row in rows)]))

    return write


def csv_line(cells: Sequence[str]) -> str:
    """Return a row of CSV, without the end of its line."""
    import csv  # only this form needs them
    import io

    line = io.StringIO()
    csv.writer(line, lineterminator="\r\n").writerow(cells)  # quotes what the end of the line consists of
    return line.getvalue().removesuffix("\r\n")


def cell(content: str) -> str:
    """Keep spreadsheets from taking a text for a formula, which anybody may have put into a name."""
    return f"'{content}" if _FORMULA.match(content) and not _NUMBER.fullmatch(content) else content


def _lines(call: ClientInvocation, lines: Iterable[str]) -> None:
    for line in lines:
        call.out.line(line)


def _show_yaml(call: ClientInvocation, document: Any, following: bool) -> None:
    import yaml  # only this form needs it

    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    for value in call.filtered(document):
        text = yaml.dump(_plain(value), Dumper=dumper, allow_unicode=True, sort_keys=True, explicit_start=following)
        following = True
        call.out.line(text.removesuffix("...\n").removesuffix("\n"))


def _plain(value: Any) -> Any:
    """Return a document with whole numbers as such, and text that has an encoding."""
    if isinstance(value, dict):
        return {_plain(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    if isinstance(value, str):
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < _WHOLE else value
