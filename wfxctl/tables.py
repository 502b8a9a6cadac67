"""Tables for people: which columns jobs and workflows have, and how they reach the screen."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from wfx.commandline.failures import UsageFailure
from wfx.commandline.terminal import neutralise, wants_color
from wfxctl.documents import Document, group_of, items, text
from wfxctl.invocation import ClientInvocation, Query, decoded
from wfxctl.targets import Side
from wfxctl.times import local_time

if TYPE_CHECKING:  # rich is imported when the first table is shown
    from rich.table import Table

_STYLES = {"CLOSED": "green", "FAILED": "red"}
"""Colours of states, by the groups that the bundled workflows have."""
_COLOR_SEQUENCE = re.compile(r"(\x1b\[[0-9;]*m)")
_UNLIMITED = 100_000
"""Characters on a line: a long row is left to the terminal to wrap, since half an id is of no use."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table."""

    heading: str
    value: Callable[[Document], str]
    width: int = 0
    """What the column needs at least, in characters."""
    is_number: bool = False
    """Numbers stand below each other by their last digits."""


def ask(call: ClientInvocation, path: str, query: Query, columns: Sequence[Column]) -> None:
    """Read from the client API and print the answer as the option ``output`` says: JSON, or a table of its items."""
    as_table = wanted(call)
    body = call.fetch(Side.SOUTH, "GET", path, query)
    if as_table:
        document = decoded(body)
        is_list = isinstance(document, dict) and "content" in document
        rows = items(document, "content") if is_list else [document]
        Printer(call, columns).write([row for row in rows if isinstance(row, dict)], header=True)
    else:
        call.show(body)


def wanted(call: ClientInvocation) -> bool:
    """Whether a table was asked for. Raises UsageFailure when it was asked to be filtered, which only JSON can be."""
    if call.settings.text("output") != "table":
        return False
    if call.settings.text("filter"):
        raise UsageFailure("--filter works on JSON only; leave out --output table")
    return True


class Printer:
    """Prints rows under each other, also when they come one by one."""

    def __init__(
        self, call: ClientInvocation, columns: Sequence[Column], group: Callable[[Document], str] = group_of
    ) -> None:
        """Prepare for the terminal or file that standard output is; the colour of a row follows from its group."""
        from rich.console import Console  # slow to import, and only tables need it

        self._columns = columns
        self._group = group
        self._widths = [max(column.width, len(column.heading)) for column in columns]
        color = wants_color(call.settings.text("color"), call.out, call.environment)
        self._out = call.out
        self._console = Console(
            width=_UNLIMITED,
            color_system="standard" if color else None,
            force_terminal=color,
            no_color=not color,
            markup=False,  # what jobs are called is not ours to interpret
            emoji=False,
        )

    def write(self, documents: Sequence[Document], *, header: bool) -> None:
        """Print one row for each item. Widths never shrink, so that later rows stand below earlier ones."""
        self._out.write("".join(line + "\n" for line in self.lines(documents, header=header)))

    def lines(self, documents: Sequence[Document], *, header: bool) -> list[str]:
        """Return the lines that :meth:`write` prints."""
        from rich.cells import cell_len  # see above

        rows = [[neutralise(column.value(item)) for column in self._columns] for item in documents]
        for row in rows:
            self._widths = [max(width, cell_len(cell)) for width, cell in zip(self._widths, row, strict=True)]
        table = self._table(header=header)
        for item, row in zip(documents, rows, strict=True):
            table.add_row(*row, style=_STYLES.get(self._group(item)))
        with self._console.capture() as captured:
            self._console.print(table)
        return [line.rstrip() for line in captured.get().splitlines()]

    def _table(self, *, header: bool) -> Table:
        from rich.table import Table  # see above

        table = Table(box=None, pad_edge=False, show_header=header, header_style="bold")
        for column, width in zip(self._columns, self._widths, strict=True):
            justify: Literal["left", "right"] = "right" if column.is_number else "left"
            table.add_column(column.heading, no_wrap=True, min_width=width, justify=justify)
        return table


def cut(line: str, columns: int) -> str:
    """Leave out what stands behind so many columns of a line; its colours stay."""
    from rich.cells import cell_len, set_cell_size  # see above

    kept, room = [], columns
    for part in _COLOR_SEQUENCE.split(line):
        text = part if _COLOR_SEQUENCE.match(part) or cell_len(part) <= room else set_cell_size(part, room)
        kept.append(text)
        room -= 0 if _COLOR_SEQUENCE.match(part) else cell_len(text)
    return "".join(kept)


def _count(document: Document, name: str) -> str:
    return str(len(items(document, name)))


JOBS = (
    Column("ID", lambda job: text(job, "id"), 36),
    Column("CLIENT", lambda job: text(job, "clientId")),
    Column("WORKFLOW", lambda job: text(job, "workflow", "name")),
    Column("STATE", lambda job: text(job, "status", "state"), 12),
    Column("GROUP", group_of),
    Column("PROGRESS", lambda job: text(job, "status", "progress")),
    Column("CREATED", lambda job: local_time(text(job, "stime")), 19),
    Column("MODIFIED", lambda job: local_time(text(job, "mtime")), 19),
)

WORKFLOWS = (
    Column("NAME", lambda workflow: text(workflow, "name")),
    Column("STATES", lambda workflow: _count(workflow, "states")),
    Column("TRANSITIONS", lambda workflow: _count(workflow, "transitions")),
    Column("GROUPS", lambda workflow: ",".join(text(group, "name") for group in items(workflow, "groups"))),
    Column("DESCRIPTION", lambda workflow: text(workflow, "description")),
)
