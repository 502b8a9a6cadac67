"""``make performance``: measures all figures of the guide in one run, and writes them there."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench import curves, machine, page, ratios, scale
from bench.curves import Throughput
from bench.machine import say
from bench.ratios import Effort
from bench.servers import ENGINES


def main() -> None:
    """Measure, keep the figures as JSON, and write the guide."""
    parser = argparse.ArgumentParser(prog="make performance", description=__doc__)
    parser.add_argument("--seconds", type=float, default=2.0, help="length of one measurement")
    parser.add_argument("--rounds", type=int, default=2, help="measurements of each pair; the median counts")
    parser.add_argument("--jobs", type=int, default=1_000_000, help="jobs in the large store")
    parser.add_argument("--json", type=Path, default=page.FIGURES, help="where the figures go")
    parser.add_argument("--docs", type=Path, default=page.DOCS, help="the folder of the guide")
    given = parser.parse_args()
    say(f"Measuring {machine.go_first()}.")
    watch = machine.Watch()
    effort = Effort(given.seconds, given.rounds, scale.SMALL)
    operations = [row for engine in ENGINES for row in _told(ratios.measure(engine, effort))]
    points = [point for engine in ENGINES for point in _told(curves.measure(engine, effort.jobs, given.seconds))]
    large = scale.documents(scale.measure(Effort(given.seconds, given.rounds, given.jobs)))
    say(f"Meanwhile {watch.sentence()}.")
    machine.keep(
        given.json,
        watch.record()
        | {
            "operations": _documents(operations),
            "throughput": _documents(point for point in points if isinstance(point, Throughput)),
            "latency": _documents(point for point in points if not isinstance(point, Throughput)),
            "jobs": given.jobs,
        }
        | large,
    )
    page.write(given.docs, json.loads(given.json.read_text(encoding="utf-8")))


def _told(findings: Iterable[Any]) -> list[Any]:
    kept = []
    for finding in findings:
        say(str(finding))
        kept.append(finding)
    return kept


def _documents(findings: Iterable[Any]) -> list[dict[str, Any]]:
    return [asdict(finding) for finding in findings]


if __name__ == "__main__":
    main()
