"""Generator of the options table in the docs: ``python -m wfx.config.document GUIDE``."""

from __future__ import annotations

import sys
from pathlib import Path

from wfx.commandline import durations
from wfx.config.options import OPTIONS, Option

START, END = "<!-- options: made by `make docs` -->\n", "<!-- end of options -->\n"
_KINDS = {
    "str": "text",
    "Host": "name or address",
    "int": "number",
    "bool": "true or false",
    "Seconds": "duration",
    "tuple[str, ...]": "list",
}


def table() -> str:
    """Return the options as a Markdown table."""
    rows = ["| flag | kind | default | meaning |", "|---|---|---|---|", *map(_row, OPTIONS)]
    return "\n".join(rows) + "\n"


def updated(guide: str) -> str:
    """Return the guide's text with the table as it should be. Raises ValueError when a mark is missing."""
    before, _ = guide.split(START)
    _, after = guide.split(END)
    return before + START + table() + END + after


def _row(option: Option) -> str:
    default = durations.show(option.default) if option.kind == "Seconds" else str(option.default).lower()
    if option.kind in ("str", "Host", "tuple[str, ...]"):
        default = option.default if isinstance(option.default, str) else ",".join(option.default)
    words = ", ".join(option.choices)
    kind = f"list of {words}" if words and option.kind == "tuple[str, ...]" else words or _KINDS[option.kind]
    return f"| `--{option.name}` | {kind} | {f'`{default}`' if default else ''} | {option.help} |"


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(updated(path.read_text(encoding="utf-8")), encoding="utf-8")
