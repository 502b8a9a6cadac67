"""Generator of the tables of functions and actions in the docs: ``python -m wfx.rules.document GUIDE``."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from wfx.expressions.functions import CallSite, Function
from wfx.expressions.library import OWN as FUNCTIONS
from wfx.rules.own_actions import OWN as ACTIONS

_MARKS = {
    name: (f"<!-- {name}: made by `make docs` -->\n", f"<!-- end of {name} -->\n") for name in ("functions", "actions")
}


def updated(guide: str) -> str:
    """Return the guide's text with the tables as they should be. Raises ValueError when a mark is missing."""
    guide = _put(guide, "functions", ("function", "meaning", "example"), map(_function, FUNCTIONS))
    return _put(guide, "actions", ("action", "parameter", "value", "meaning"), _actions())


def _put(guide: str, name: str, head: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> str:
    start, end = _MARKS[name]
    before, _ = guide.split(start)
    _, after = guide.split(end)
    lines = [head, ("---",) * len(head), *rows]
    return before + start + "".join(f"| {' | '.join(cells)} |\n" for cells in lines) + end + after


def _function(one: Function) -> tuple[str, ...]:
    called = "" if one.call_site is CallSite.ANYWHERE else f" It is called {one.call_site.value}."
    result = json.dumps(one.result, ensure_ascii=False)
    example = f"`{one.example}` → `{result}`" if one.example else "`2026-11-30T04:15:00Z`"
    return f"`{one.signature}`", one.summary + called, example


def _actions() -> Iterator[tuple[str, ...]]:
    for action in ACTIONS:
        yield f"**`{action.type}`**", "", "", action.summary
        for one in action.parameters:
            form = " or ".join(f"`{word}`" for word in one.choices) or one.form.value
            needed = ", required" if one.required and one.default is None else ""
            yield "", f"`{one.name}`", form + needed, one.summary


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(updated(path.read_text(encoding="utf-8")), encoding="utf-8")
