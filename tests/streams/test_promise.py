"""The page about what users can rely on says what the tests hold us to."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "robustness.md"
WORDS = ("acknowledged", "ordered", "unique", "reliable", "resumable", "bookmarked", "never early")
_ROW = re.compile(r"^\| (\*\*)?([^|*]+?)(\*\*)? \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
_LINK = re.compile(r"\[`([^`]+)`\]\(\.\./(tests/[^)]+\.py)\)")


def rows() -> dict[str, list[tuple[str, str]]]:
    """Read the tables: the tests of each word and of each fault, as paths and names."""
    found = _ROW.findall(PAGE.read_text(encoding="utf-8"))
    return {first: [(path, name) for name, path in _LINK.findall(tests)] for _, first, _, _, tests in found}


def claims_of(path: Path) -> dict[str, str]:
    """Give the test functions of a file with their claims."""
    functions = ast.parse(path.read_text(encoding="utf-8")).body
    return {function.name: ast.get_docstring(function) or "" for function in functions
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef) and function.name.startswith("test_")}


def test_each_promised_word_has_tests() -> None:
    """Each word of the promise names tests, and every test that the page names exists."""
    table = rows()
    assert [first for first in table if first in WORDS] == list(WORDS)
    for first, tests in table.items():
        if first in WORDS or first.isdigit():
            assert tests, first
        for path, name in tests:
            assert name in claims_of(ROOT / path) or name == Path(path).name, f"{path}::{name}"
    assert all(any(name.startswith("test_") and not name.endswith(".py") for _, name in table[word]) for word in WORDS)


def test_each_fault_names_its_tests() -> None:
    """A test that says which row of the page it is about is found in just that row."""
    said: dict[str, set[str]] = {}
    for folder in ("streams", "filters_http"):
        for path in (ROOT / "tests" / folder).glob("test_*.py"):
            for name, claim in claims_of(path).items():
                for row in re.findall(r"Row (\d+)\.", claim):
                    said.setdefault(row, set()).add(name)
    listed = {first: {name for path, name in tests if path.startswith(("tests/streams", "tests/filters_http"))}
              for first, tests in rows().items() if first.isdigit()}
    assert said == {row: names for row, names in listed.items() if names}
