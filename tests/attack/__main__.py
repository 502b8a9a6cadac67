"""``make attack``: runs hostile programs against the service on both engines, and observes well-behaved clients.

Each kind of attack is a module of this directory and runs against a fresh service of each engine. A client that gets a
job and one that reports progress are observed. For each are printed: how often each status was answered, latencies, the
service's memory before, at most and after, and findings: an answer that well-behaved clients must not get, an error in
the log, a process that is left, a finding of ``wfx check``. Latencies are printed only, and are never a finding.
"""
# ruff: noqa: T201 - it prints

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.attack.duel import Outcome, fight
from tests.attack.frame import ENGINES
from wfx.commandline import durations

MIB = 1024 * 1024
ROW = "{:10} {:10} {:4} {:36} {:>8} {:>8} {:>8}  {:>19}"


def kinds() -> list[str]:
    """The names of the modules that describe a kind of attack."""
    return sorted(path.stem for path in Path(__file__).parent.glob("*.py") if "\nKIND = " in path.read_text())


def lines(outcome: Outcome) -> list[str]:
    """The rows of the table, and what is wrong."""
    rows = []
    memory = " → ".join(f"{figure / MIB:.0f}" for figure in outcome.memory)
    for name, witness in outcome.witnesses.items():
        statuses = ", ".join(f"{status or 'none'}: {count:,}" for status, count in sorted(witness.statuses.items()))
        latencies = (f"{witness.latency(part) * 1000:.1f}" for part in (0.5, 0.99, 1.0))
        rows.append(ROW.format(outcome.engine, outcome.name, name, statuses, *latencies, memory))
    tally = ", ".join(f"{count:,} {what}" for what, count in outcome.tally.items())
    return [*rows, f"  attackers: {tally}", *(f"  WRONG: {finding}" for finding in outcome.findings)]


def main(arguments: list[str]) -> int:
    """Run all; the exit code is 1 if anything is wrong."""
    parser = argparse.ArgumentParser("make attack", description=__doc__)
    parser.add_argument("--duration", default="10m", type=durations.parse, help="how long in all (10m)")
    parser.add_argument("--engine", choices=ENGINES, action="append", help="may be repeated (both)")
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=f"of {', '.join(kinds())} (all)")
    given = parser.parse_args(arguments)
    duels = [(kind, engine) for kind in given.kinds or kinds() for engine in given.engine or ENGINES]
    print(ROW.format("engine", "attack", "who", "answers", "p50 [ms]", "p99 [ms]", "max [ms]", "memory [MiB]"))
    wrong = 0
    for kind, engine in duels:
        with tempfile.TemporaryDirectory() as folder:
            outcome = fight(kind, engine, Path(folder), given.duration / len(duels))
        print("\n".join(lines(outcome)), flush=True)
        wrong += len(outcome.findings)
    print(f"{wrong} findings" if wrong else "nothing is wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
