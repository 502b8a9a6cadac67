"""``histogram.hdr``: the percentile distribution in the text form that HdrHistogram plotters read."""

from __future__ import annotations

from wfx_loadtest.duration import MILLISECOND
from wfx_loadtest.metrics import Latencies

_TICKS = 5
"""Rows for each halving of the distance to 100 %."""
_ROWS = 94
_HEAD = ("Value(ms)", "Percentile", "TotalCount", "1/(1-Percentile)")
_AT_THE_END = 10_000_000.0
"""Stands for infinity in the last row, as plotters expect a number."""

SHARES = (
    *((1 - 0.5 ** (row // _TICKS) + row % _TICKS * 0.5 ** (row // _TICKS + 1) / _TICKS) for row in range(_ROWS - 1)),
    1.0,
)
"""The percentiles shown, as shares from 0 to 1: ever closer to each other towards the end."""


def render(latencies: Latencies) -> str:
    """Return the table; ``TotalCount`` counts the requests that stayed within the row's value."""
    rows = [_HEAD]
    for share, (value, count) in zip(SHARES, latencies.at(SHARES), strict=True):
        inverse = 1 / (1 - share) if share < 1 else _AT_THE_END
        rows.append((f"{value / MILLISECOND:f}", f"{share:f}", str(count), f"{inverse:f}"))
    widths = [max(len(row[column]) for row in rows) + 2 for column in range(3)]
    return "".join(
        "".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=False)) + f"{row[3]}\n" for row in rows
    )
