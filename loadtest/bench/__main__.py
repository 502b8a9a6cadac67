"""``make bench``: requests per second, and the ratio to a bare Starlette app that answers the same bytes.

Both run on the same engine, in turn, on this machine, which sends the load too (wrk). Compare ratios between machines
and commits, not rates; ``make bench-compare`` compares two commits in one run.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import Any

from bench import machine, option_costs, outside_events, plugins, postgresql, ratios, rules, scripts, streams, tls
from bench.machine import say
from bench.ratios import Effort
from bench.servers import ENGINES
from bench.streams import Figure


def main() -> None:
    """Measure and print; also write the rows as JSON."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--seconds", type=float, default=2.0, help="length of one measurement")
    parser.add_argument("--rounds", type=int, default=3, help="measurements of each pair; the median counts")
    parser.add_argument("--jobs", type=int, default=1000, help="jobs in the store")
    parser.add_argument("--updates", type=int, default=1000, help="updates that event streams are measured with")
    parser.add_argument("--engine", action="append", choices=ENGINES, help="only this engine")
    parser.add_argument("--operation", action="append", help="only operations whose name contains this")
    parser.add_argument("--storage", action="append", choices=("sqlite", "postgres"), help="only on this storage")
    parser.add_argument(
        "--reference", type=Path, help="program of the reference's server, to compare with on PostgreSQL"
    )
    parser.add_argument("--json", type=Path, default=Path(".bench/latest.json"), help="where the rows go")
    given = parser.parse_args()
    say(f"Measuring {machine.go_first()}.")
    watch = machine.Watch()
    found: dict[str, list[dict[str, Any]]] = {"operations": [], "on_postgresql": [], "figures": []}
    storages = given.storage or ("sqlite", "postgres")
    if "sqlite" in storages:
        _on_sqlite(given, found)
    if "postgres" in storages:
        _on_postgresql(given, found)
    say(f"Meanwhile {watch.sentence()}.")
    machine.keep(given.json, watch.record() | found)


def _on_sqlite(given: argparse.Namespace, found: dict[str, list[dict[str, Any]]]) -> None:
    say(ratios.HEAD)
    for engine in given.engine or ENGINES:
        for row in ratios.measure(engine, _effort(given), given.operation or ()):
            say(str(row))
            found["operations"].append(asdict(row))
        if not given.operation:
            measured = (plugins.measure(engine), tls.measure(engine), option_costs.measure(engine))
            _keep_figures(engine, chain(streams.measure(engine, updates=given.updates), *measured), found)
    if not given.operation:
        _keep_figures("any", chain(rules.measure(), outside_events.measure(), scripts.measure()), found)


def _on_postgresql(given: argparse.Namespace, found: dict[str, list[dict[str, Any]]]) -> None:
    say(postgresql.HEAD)
    engine = (given.engine or ENGINES)[0]
    for row in postgresql.measure(engine, _effort(given), given.operation or (), given.reference):
        say(str(row))
        found["on_postgresql"].append(asdict(row))
    if not given.operation:
        _keep_figures(engine, postgresql.figures(engine, _effort(given)), found)


def _effort(given: argparse.Namespace) -> Effort:
    return Effort(given.seconds, given.rounds, given.jobs)


def _keep_figures(engine: str, figures: Iterable[Figure], found: dict[str, list[dict[str, Any]]]) -> None:
    for figure in figures:
        say(f"{engine:<10} {figure.name:<60} {figure.value:>10.2f} {figure.unit}")
        found["figures"].append({"engine": engine, **asdict(figure)})


if __name__ == "__main__":
    main()
