"""``make plots``: the figures of ``.bench/performance.json`` as tables and pictures of the guide.

Tables go between their marks in ``docs/performance.md``; the text around them holds no figure.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from bench import chart, curves
from bench.chart import Chart, Line
from bench.machine import Machine, is_busy, say
from bench.servers import ENGINES

FIGURES = Path(".bench/performance.json")
DOCS = Path("docs")
GUIDE = "performance.md"
INTERVAL = 45
"""Seconds between two polls of a device: SWUpdate's default."""
HEADROOM = 0.5
"""The share of a core that is left for everything but polls."""
_MARK = "<!-- {}: made by `make performance` -->\n"
_END = "<!-- end of {} -->\n"
Figures = Mapping[str, Any]


def main() -> None:
    """Write the guide from the figures that were measured last."""
    write(DOCS, json.loads(FIGURES.read_text(encoding="utf-8")))


def write(docs: Path, figures: Figures) -> None:
    """Write tables and pictures into the folder of the guide."""
    guide = docs / GUIDE
    guide.write_text(updated(guide.read_text(encoding="utf-8"), figures), encoding="utf-8")
    for name, picture in pictures(figures).items():
        (docs / name).write_text(chart.render(picture), encoding="utf-8")
    say(f"{guide} and its pictures are up to date.")


def updated(guide: str, figures: Figures) -> str:
    """Return the guide's text with these figures. Raises ValueError when a mark is missing."""
    for name, table in TABLES.items():
        start, end = _MARK.format(name), _END.format(name)
        before, rest = guide.split(start)
        _, after = rest.split(end)
        guide = before + start + table(figures) + end + after
    return guide


def _machine(figures: Figures) -> str:
    busy = (
        f" Other programs took {figures['others']:.0%} of the processors meanwhile, so all of it is too bad."
        if is_busy(figures["others"])
        else ""
    )
    return f"{Machine(**figures['machine']).sentence}; the load came from the same machine.{busy}\n"


def _operations(figures: Figures) -> str:
    head = ("engine", "operation", "connections", "requests/s", "ratio", "p50 ms", "p99 ms", "CPU µs per request")
    return _table(
        head,
        (
            (
                row["engine"],
                row["operation"],
                row["connections"],
                f"{row['rate']:,.0f}",
                f"{row['ratio']:.2f}",
                f"{row['p50']:.1f}",
                f"{row['p99']:.1f}",
                f"{row['cpu']:.0f}",
            )
            for row in figures["operations"]
        ),
    )


def _throughput(figures: Figures) -> str:
    head = ("engine", "operation", *(f"{connections}" for connections in curves.CONNECTIONS))
    rates = {(row["engine"], row["operation"], row["connections"]): row["rate"] for row in figures["throughput"]}
    return _table(
        head,
        (
            (
                engine,
                operation,
                *(f"{rates[engine, operation, connections]:,.0f}" for connections in curves.CONNECTIONS),
            )
            for engine in ENGINES
            for operation in curves.OPERATIONS
        ),
    )


def _latency(figures: Figures) -> str:
    head = ("engine", "requests/s", "answered/s", "p50 ms", "p99 ms", "")
    return _table(
        head,
        (
            (
                row["engine"],
                f"{row['rate']:,}",
                f"{row['answered']:,.0f}",
                f"{row['p50']:.2f}",
                f"{row['p99']:.2f}",
                "the generator was late" if row["generator_late"] else "",
            )
            for row in figures["latency"]
        ),
    )


def _sizing(figures: Figures) -> str:
    polls = {row["engine"]: row for row in figures["throughput"] if row["operation"] == curves.NEW_CONNECTIONS}
    return _table(
        ("engine", "CPU µs per poll", "polls/s on this machine", "devices per core"),
        (
            (engine, f"{row['cpu']:.0f}", f"{row['rate']:,.0f}", f"{devices_per_core(row['cpu']):,}")
            for engine, row in polls.items()
        ),
    )


def devices_per_core(micros: float) -> int:
    """Return how many devices may poll a core, by the processor time of a poll; rounded down to hundreds."""
    return int(INTERVAL * (1 - HEADROOM) / (micros / 1e6) // 100 * 100)


def _scale(figures: Figures) -> str:
    return _table(
        ("", "measured", "aim"),
        (
            (
                row["name"],
                _amount(row["value"], ".2f", row["unit"]),
                "" if row["most"] is None else f"at most {_amount(row['most'], 'g', row['unit'])}",
            )
            for row in figures["findings"]
        ),
    )


def _amount(value: float, notation: str, unit: str) -> str:
    return f"{value:{notation}} {unit}".rstrip()


def _queries(figures: Figures) -> str:
    head = ("jobs by", "there are", "first page ms", "last page ms", "at offset 10,000 ms", "first page and total ms")
    return _table(
        head,
        (
            (row["name"], f"{row['matches']:,}", *(f"{row[page]:.1f}" for page in ("first", "last", "deep", "total")))
            for row in figures["queries"]
        ),
    )


def _table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    head = tuple(head)
    lines = [head, ("---",) * len(head), *rows]
    return "".join("| " + " | ".join(map(str, line)) + " |\n" for line in lines)


TABLES: dict[str, Callable[[Figures], str]] = {
    "machine": _machine,
    "operations": _operations,
    "throughput": _throughput,
    "latency": _latency,
    "sizing": _sizing,
    "scale": _scale,
    "queries": _queries,
}


def pictures(figures: Figures) -> dict[str, Chart]:
    """Return the pictures of the guide by their file's name."""
    most = [row["rate"] for row in figures["throughput"]]
    return {f"performance-throughput-{engine}.svg": _throughput_chart(figures, engine, most) for engine in ENGINES} | {
        "performance-latency.svg": _latency_chart(figures)
    }


def _throughput_chart(figures: Figures, engine: str, rates: list[float]) -> Chart:
    lines = [
        Line(
            operation,
            colour,
            [
                (row["connections"], row["rate"])
                for row in figures["throughput"]
                if (row["engine"], row["operation"]) == (engine, operation)
            ],
        )
        for colour, operation in enumerate(curves.OPERATIONS)
    ]
    return Chart(
        f"Throughput over connections, {engine}",
        chart.doublings("connections", curves.CONNECTIONS),
        chart.counts("requests/s", rates),
        lines,
    )


def _latency_chart(figures: Figures) -> Chart:
    rows = [row for row in figures["latency"] if not row["generator_late"]]
    lines = [
        Line(
            f"{percentile}, {engine}",
            colour,
            [(row["rate"], row[percentile]) for row in rows if row["engine"] == engine],
            dashed=percentile == "p50",
        )
        for colour, engine in enumerate(ENGINES)
        for percentile in ("p99", "p50")
    ]
    values = [row[percentile] for row in rows for percentile in ("p50", "p99")]
    return Chart(
        "Latency over load",
        chart.counts("requests/s", [row["rate"] for row in rows]),
        chart.latencies("latency", values),
        [line for line in lines if line.points],
    )


if __name__ == "__main__":
    main()
