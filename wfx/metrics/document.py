"""Generator of the tables of metrics in the docs: ``python -m wfx.metrics.document GUIDE``."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from wfx.metrics.catalog import CATALOGUE, COMPATIBLE

_MARKS = {
    "metrics": ("<!-- metrics: made by `make docs` -->\n", "<!-- end of metrics -->\n"),
    "names of others": ("<!-- names of others: made by `make docs` -->\n", "<!-- end of names of others -->\n"),
}


def updated(guide: str) -> str:
    """Return the guide's text with the tables as they should be. Raises ValueError when a mark is missing."""
    ours = [
        (f"`{each.shown}`", str(each.kind), ", ".join(f"`{label}`" for label in each.labels), each.text)
        for each in CATALOGUE.values()
    ]
    others = [
        (f"`{each.shown}`", str(each.kind), each.text, f"`{_in_cell(each.ours)}`") for each in COMPATIBLE.values()
    ]
    guide = _put(guide, "metrics", ("metric", "kind", "labels", "meaning"), ours)
    return _put(
        guide, "names of others", ("served with `--metrics-compat`", "kind", "here", "the same of ours"), others
    )


def _in_cell(text: str) -> str:
    return text.replace("|", "\\|")


def _put(guide: str, table: str, heading: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    start, end = _MARKS[table]
    heading = list(heading)
    before, _ = guide.split(start)
    _, after = guide.split(end)
    lines = [heading, ["---"] * len(heading), *rows]
    return before + start + "".join(f"| {' | '.join(cells)} |\n" for cells in lines) + end + after


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(updated(path.read_text(encoding="utf-8")), encoding="utf-8")
