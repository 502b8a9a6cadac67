"""Log lines for people: whatever a value contains, it stays in its place."""

from __future__ import annotations

import logging
import sys
from typing import Any

import pytest

from wfx.logs import Pretty


def line(message: str = "text", *, error: Exception | None = None, **fields: Any) -> str:
    """Format a record, without its time."""
    record = logging.LogRecord("wfx", logging.INFO, "file.py", 1, message, (), None)
    record.__dict__["fields"] = fields
    if error is not None:
        try:
            raise error
        except type(error):
            record.exc_info = sys.exc_info()
    return Pretty(colour=False).format(record)[len("May 04 10:00:00 ") :]


@pytest.mark.parametrize(("value", "shown"), [
    ("plain", "plain"),
    (200, "200"),
    ("/api/wfx/v1/jobs", "/api/wfx/v1/jobs"),
    ("a=b", '"a=b"'),
    ("Kühlhaus-3", "Kühlhaus-3"),
    ("", '""'),
    ("x code=200", '"x code=200"'),
    ('"', r'"\""'),
    ("a\\nb", r'"a\\nb"'),
    ("a\nMay 04 10:00:00 INF forged", r'"a\nMay 04 10:00:00 INF forged"'),
    ("\x1b[31mred\x7f\x9b", r'"\u001b[31mred\u007f\u009b"'),
    ("a\u2028b\u00a0c", r'"a\u2028b\u00a0c"'),
    ("\ud800", r'"\ud800"'),
    (["a", "b"], "\"['a', 'b']\""),
])  # fmt: skip
def test_values_are_quoted_where_they_need_it(value: object, shown: str) -> None:
    """What could be taken for more than a value is quoted, so that it makes no field or line of its own."""
    assert line(host=value, code=404) == f"INF file.py:1 > text host={shown} code=404"


def test_a_traceback_makes_no_record() -> None:
    """Lines of a traceback are indented, so that the message of an exception cannot look like a record."""
    lines = line(error=ValueError("bad\nMay 04 10:00:00 INF file.py:1 > forged\x1b[2J")).split("\n")
    assert lines[0] == "INF file.py:1 > text"
    assert lines[1] == "    Traceback (most recent call last):"
    assert lines[-2:] == ["    ValueError: bad", r"    May 04 10:00:00 INF file.py:1 > forged\x1b[2J"]
    assert all(each.startswith("    ") for each in lines[1:])
