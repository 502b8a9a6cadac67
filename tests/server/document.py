"""Tables of the guide: ``python -m tests.server.document docs/http-edge.md`` puts them between their marks."""

from __future__ import annotations

import sys
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path

from tests.server.corpus import CASES, Case
from wfx.server import edge_errors

_MARK = "<!-- {}: made by `python -m tests.server.document` -->\n"
_END = "<!-- end of {} -->\n"


def corpus() -> str:
    """Return the inputs and their answers."""
    rows = ["| row | input | answer | connection | |", "|---|---|---|---|---|", *map(_case, CASES)]
    return "\n".join(rows) + "\n"


def _case(case: Case) -> str:
    answer = f"{case.status} {HTTPStatus(case.status).phrase}"
    name = case.name.replace("|", "\\|")
    return f"| {case.row} | {name} | {answer} | {'ends' if case.ends else 'goes on'} | {case.remark} |"


def kinds() -> str:
    """Return what is refused, as it is counted and logged."""
    return "\n".join(["| kind | a connection or request that |", "|---|---|"]
                     + [f"| `{kind}` | {text} |" for kind, text in edge_errors.KINDS.items()]) + "\n"  # fmt: skip


TABLES: dict[str, Callable[[], str]] = {"corpus": corpus, "kinds": kinds}


def updated(guide: str) -> str:
    """Return the guide's text with the tables as they should be. Raises ValueError when a mark is missing."""
    for name, table in TABLES.items():
        start, end = _MARK.format(name), _END.format(name)
        before, rest = guide.split(start)
        _, after = rest.split(end)
        guide = before + start + table() + end + after
    return guide


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(updated(path.read_text(encoding="utf-8")), encoding="utf-8")
