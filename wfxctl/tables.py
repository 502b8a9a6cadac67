"""Tables for people: columns, and how they reach the screen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from wfx.commandline.terminal import neutralise, wants_color
from wfxctl.documents import Document, group_of
from wfxctl.invocation import ClientInvocation

if TYPE_CHECKING:  # rich is imported when the first table is shown
    from rich.table import Table

_STYLES = {"CLOSED": "green", "FAILED": "red"}
"""Colours of states, by the groups that the bundled workflows have."""
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
    exact: Callable[[Document], str] | None = None
    """What files have in place of the value, and what rows are sorted by: a number, or a time as the API writes it."""

    @property
    def name(self) -> str:
        """The name by which ``--columns`` and ``--sort-by`` know it, and the heading in files."""
        return self.heading.lower()

    def content(self, document: Document) -> str:
        """Return the value for files."""
        return self.value(document) if self.exact is None else self.exact(document)


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
