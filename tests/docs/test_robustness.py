"""The page about what users can rely on says what the tests hold us to."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.docs import robustness
from tests.docs.robustness import found, rows_of, told
from tests.server import test_corpus
from tests.server.corpus import CASES

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "robustness.md"
WORDS = ("acknowledged", "ordered", "unique", "reliable", "resumable", "bookmarked", "never early")
_PROMISE = re.compile(r"^\| \*\*([^*]+)\*\* \| [^|]+ \| ([^|]+) \|$", re.MULTILINE)
_LINK = re.compile(r"\[`(test_\w+)`\]\(\.\./(tests/[^)]+\.py)\)")


def test_each_promised_word_has_tests() -> None:
    """Each word of the promise names tests, and every test that it names exists."""
    promised = {word: _LINK.findall(tests) for word, tests in _PROMISE.findall(PAGE.read_text(encoding="utf-8"))}
    assert tuple(promised) == WORDS
    for word, tests in promised.items():
        assert tests, word
        for name, path in tests:
            tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
            assert name in {node.name for node in tree.body if hasattr(node, "name")}, f"{path}::{name}"


def test_the_table_is_current() -> None:
    """The table names each test that says which fault it is about; `make docs` enters them."""
    text = PAGE.read_text(encoding="utf-8")
    assert text == robustness.updated(text)
    assert "test_restarts.py" in text


def test_each_fault_is_tried() -> None:
    """Each fault that the page tells of has a test, and no test is about a fault that the page does not tell of."""
    rows, tried = told(PAGE.read_text(encoding="utf-8")), found().keys()
    assert sorted(rows - tried) == []
    assert sorted(tried - rows) == []


def test_rows_that_are_data() -> None:
    """The corpus of bytes has inputs for just the rows that its test says it is about."""
    assert rows_of(test_corpus.test_corpus.__doc__ or "") == {case.row for case in CASES}


@pytest.mark.parametrize(("docstring", "rows"), [
    ("Row 5: a claim.", {5}),
    ("A claim. Row 5.", {5}),
    ("Rows 26 to 29: a claim.", {26, 27, 28, 29}),
    ("Rows 5, 6 and 53: a claim.", {5, 6, 53}),
    ("Rows are written before.", set()),
])  # fmt: skip
def test_how_tests_say_it(docstring: str, rows: set[int]) -> None:
    """A docstring may name one row, several, or a run of them."""
    assert rows_of(docstring) == rows
