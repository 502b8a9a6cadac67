"""Two runs side by side. Only ``metrics.txt`` is read: results of any tool that writes that table can be compared."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from wfx.commandline import durations

_ROW = re.compile(r"^(\S.*?)\s+\[(.*?)\]\s+(.*)$")
_CODES = "Status Codes"
_STEP = "Step"


class NotAResult(Exception):
    """The directory holds no readable results; the message says which and why."""


def compare(before: Path, after: Path) -> str:
    """Return a table of both runs' figures and their differences. Raises NotAResult."""
    old, new = _figures(before), _figures(after)
    rows = [
        ("", str(before), str(after), "change"),
        *((name, old.get(name, "-"), new.get(name, "-"), _change(old.get(name), new.get(name))) for name in old | new),
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return "".join(_line(row, widths) for row in rows)


def _line(row: tuple[str, ...], widths: list[int]) -> str:
    name, *cells = row
    text = name.ljust(widths[0]) + "".join(f"  {cell:>{width}}" for cell, width in zip(cells, widths[1:], strict=True))
    return text.rstrip() + "\n"


def _figures(folder: Path) -> dict[str, str]:
    """Return the figures by name, such as ``Latencies 99``; steps of a search for a rate have no names of their own."""
    try:
        lines = (folder / "metrics.txt").read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as exc:
        raise NotAResult(f"{folder}: no readable metrics.txt: {getattr(exc, 'strerror', exc)}") from exc
    figures: dict[str, str] = {}
    for title, members, values in (match.groups() for match in map(_ROW.match, lines) if match):
        if title == _CODES:
            figures |= {f"Status {code}": count for code, count in (pair.split(":") for pair in values.split())}
        elif title != _STEP:
            names = (f"{title} {member}" for member in members.split(", "))
            figures |= dict(zip(names, values.split(", "), strict=False))
    if not figures:
        raise NotAResult(f"{folder}: metrics.txt holds no figures")
    return figures


def _change(old: str | None, new: str | None) -> str:
    first, second = _number(old), _number(new)
    if first is None or second is None or first == second:
        return ""
    if old is not None and old.endswith("%"):
        return f"{second - first:+.2f} points"
    return f"{(second - first) / first:+.1%}" if first else ""


def _number(shown: str | None) -> float | None:
    readings: tuple[Callable[[str], float], ...] = (float, lambda text: float(text.removesuffix("%")), durations.parse)
    for read in readings:
        try:
            return read(shown or "")
        except ValueError:
            continue
    return None
