"""The summary on the terminal and in ``metrics.txt``, in the layout that scripts read (cli section 11)."""

from __future__ import annotations

from collections.abc import Sequence

from wfx_loadtest.duration import rounded
from wfx_loadtest.facts import Fact, distribution
from wfx_loadtest.metrics import LATE, Metrics
from wfx_loadtest.result import Result
from wfx_loadtest.thresholds import Verdict

_STARS = "*" * 79
BANNER = f"{_STARS}\n Summary\n{_STARS}\n"


def summary(result: Result) -> str:
    """Return the table, what the scenario adds, and how the run did by its thresholds."""
    return table(result.metrics, [*result.facts, *map(_threshold, result.verdicts)])


def _threshold(verdict: Verdict) -> Fact:
    values = (verdict.threshold.shown, verdict.shown, verdict.word)
    return Fact(f"Threshold {verdict.threshold.name}", ("limit", "value", "verdict"), values)


def table(metrics: Metrics, extra: Sequence[Fact] = ()) -> str:
    """Return the table; what a scenario adds follows after a blank line."""
    rows = [
        Fact(
            "Requests",
            ("total", "rate", "throughput"),
            (str(metrics.requests), f"{metrics.rate:.2f}", f"{metrics.throughput:.2f}"),
        ),
        Fact(
            "Duration",
            ("total", "attack", "wait"),
            (rounded(metrics.attack + metrics.wait), rounded(metrics.attack), rounded(metrics.wait)),
        ),
        distribution("Latencies", metrics.latencies),
        _bytes("Bytes In", metrics.bytes_in, metrics.requests),
        _bytes("Bytes Out", metrics.bytes_out, metrics.requests),
        Fact("Success", ("ratio",), (success(metrics),)),
        Fact("Status Codes", ("code:count",), ("".join(f"{code}:{n}  " for code, n in sorted(metrics.codes.items())),)),
    ]
    errors = "".join(f"{error}\n" for error in metrics.errors)
    return aligned(rows) + "Error Set:\n" + errors + ("\n" + aligned(extra) if extra else "")


def aligned(rows: Sequence[Fact]) -> str:
    """Lay the rows out in three columns."""
    titles = max(len(row.title) for row in rows) + 2
    legends = max(len(row.legend) for row in rows) + 2
    return "".join(f"{row.title:{titles}}{row.legend:{legends}}{row.value}\n" for row in rows)


def success(metrics: Metrics) -> str:
    """Write the share of requests that succeeded, rounded down: 100.00% means that none failed."""
    hundredths = metrics.successes * 10_000 // metrics.requests if metrics.requests else 0
    return f"{hundredths / 100:.2f}%"


def _bytes(title: str, total: int, requests: int) -> Fact:
    mean = total / requests if requests else 0.0
    return Fact(title, ("total", "mean"), (str(total), f"{mean:.2f}"))


def punctuality(metrics: Metrics) -> str:
    """Say how well the generator kept its schedule."""
    late = metrics.lateness
    if not late.count:
        return "no requests"
    return f"{late.late} of {late.count} requests left more than {rounded(LATE)} late, the worst {rounded(late.worst)}"


def lateness(metrics: Metrics) -> str:
    """Say that the generator fell behind its schedule, and what to do; nothing if it did not."""
    late = metrics.lateness
    if not late.behind:
        return ""
    return (
        f"the load generator fell behind its schedule: {late.late} of {late.count} requests left more than "
        f"{rounded(LATE)} late (the worst {rounded(late.worst)}). Latencies include that delay; "
        "use a less busy machine or a lower rate."
    )
