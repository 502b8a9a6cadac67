"""``make bench``: requests per second, and the ratio to a bare Starlette app that answers the same bytes.

Both run on the same engine, in turn, on this machine, which sends the load too (wrk). Compare ratios between machines
and commits, not rates; ``make bench-compare`` compares two commits in one run.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict
from itertools import chain
from pathlib import Path

from bench import machine, option_costs, plugins, ratios, streams, tls
from bench.machine import say
from bench.ratios import Effort
from bench.servers import ENGINES


def main() -> None:
    """Measure and print; also write the rows as JSON."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--seconds", type=float, default=2.0, help="length of one measurement")
    parser.add_argument("--rounds", type=int, default=3, help="measurements of each pair; the median counts")
    parser.add_argument("--jobs", type=int, default=1000, help="jobs in the store")
    parser.add_argument("--updates", type=int, default=1000, help="updates that event streams are measured with")
    parser.add_argument("--engine", action="append", choices=ENGINES, help="only this engine")
    parser.add_argument("--operation", action="append", help="only operations whose name contains this")
    parser.add_argument("--json", type=Path, default=Path(".bench/latest.json"), help="where the rows go")
    given = parser.parse_args()
    say(f"Measuring {machine.go_first()}.")
    watch = machine.Watch()
    say(ratios.HEAD)
    rows, figures = [], []
    for engine in given.engine or ENGINES:
        for row in ratios.measure(engine, Effort(given.seconds, given.rounds, given.jobs), given.operation or ()):
            say(str(row))
            rows.append(asdict(row))
        if not given.operation:
            measured = (plugins.measure(engine), tls.measure(engine), option_costs.measure(engine))
            parts = (streams.measure(engine, updates=given.updates), *measured)
            for figure in chain(*parts):
                say(f"{engine:<10} {figure.name:<60} {figure.value:>10.2f} {figure.unit}")
                figures.append({"engine": engine, **asdict(figure)})
    say(f"Meanwhile {watch.sentence()}.")
    machine.keep(given.json, watch.record() | {"operations": rows, "figures": figures})


if __name__ == "__main__":
    main()
