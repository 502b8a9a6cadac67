"""Which tests are about which fault: ``python -m tests.docs.robustness docs/robustness.md`` enters them into the table.

A test is about a fault when its docstring says so: ``Row 5: …``, ``… Row 5.``, ``Rows 26 to 29: …``, ``Rows 5, 53: …``.
"""

from __future__ import annotations

import ast
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

TESTS = Path(__file__).parents[1]
_ROW = re.compile(r"^(\| (\d+) \| [^|]+ \| [^|]+ \| ).*\|$", re.MULTILINE)
_SAID = re.compile(r"\bRows? (\d+(?:(?:, | and | to )\d+)*)\b")


class Test(NamedTuple):
    """A test and where it is."""

    path: str
    name: str


def _numbers(said: str) -> Iterator[int]:
    for part in re.split(r", | and ", said):
        first, _, last = part.partition(" to ")
        yield from range(int(first), int(last or first) + 1)


def rows_of(docstring: str) -> set[int]:
    """Return the rows that a docstring says its test is about."""
    return {number for said in _SAID.findall(docstring) for number in _numbers(said)}


def found() -> dict[int, list[Test]]:
    """Look through all tests for the rows that they say they are about."""
    tests: dict[int, list[Test]] = defaultdict(list)
    for path in sorted(TESTS.rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                for row in rows_of(ast.get_docstring(node) or ""):
                    tests[row].append(Test(str(path.relative_to(TESTS)), node.name))
    return tests


def told(page: str) -> set[int]:
    """Return the rows that the page has."""
    return {int(row) for _, row in _ROW.findall(page)}


def updated(page: str) -> str:
    """Return the page's text with the tests that there are in the last column of the table of faults."""
    tests = found()
    return _ROW.sub(lambda line: f"{line[1]}{_links(tests.get(int(line[2]), []))} |", page)


def _links(tests: list[Test]) -> str:
    """Link each file once, and name its tests behind it."""
    names: dict[str, list[str]] = defaultdict(list)
    for path, name in tests:
        names[path].append(f"`{name}`")
    return "; ".join(f"[{path}](../tests/{path}): {', '.join(said)}" for path, said in names.items())


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.write_text(updated(target.read_text(encoding="utf-8")), encoding="utf-8")
