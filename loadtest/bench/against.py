"""``make bench-compare BASE=<rev>``: another commit's server and this work tree's, measured in turn in one run.

Only the server comes from the commit; what it is measured with is the work tree's. It judges nothing: small differences
mean something only if the rounds agree and the machine was quiet, and both are printed.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from bench import fixture, machine
from bench.fixture import Case
from bench.machine import say
from bench.ratios import CONNECTIONS, Effort
from bench.servers import ENGINES, Reading, Server, client, read, server_of
from wfx.demo.local import LocalService

_HEAD = (
    f"{'engine':<10} {'operation':<20} {'conn':>4} {'base/s':>7} {'new/s':>7} {'new/base':>9} {'from .. to':>13} "
    f"  {'base cpu':>8} {'new cpu':>8} {'base/new':>9} {'from .. to':>13}  failed"
)


@dataclass(frozen=True, slots=True)
class Ratio:
    """How much better the new one is: above 1 is better."""

    middle: float
    lowest: float
    """Of all rounds; if this and the highest are on both sides of 1, the difference is not shown."""
    highest: float

    def __str__(self) -> str:
        """Return it for the table."""
        return f"{self.middle:>9.2f} {self.lowest:>5.2f} .. {self.highest:.2f}"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    engine: str
    operation: str
    connections: int
    base: Reading
    new: Reading
    rate: Ratio
    cpu: Ratio

    def __str__(self) -> str:
        """Return it as a line of the table."""
        return (
            f"{self.engine:<10} {self.operation:<20} {self.connections:>4} {self.base.rate:>7.0f} "
            f"{self.new.rate:>7.0f} {self.rate}   {self.base.cpu:>8.0f} {self.new.cpu:>8.0f} {self.cpu}  "
            f"{self.base.failed}, {self.new.failed}"
        )


def main() -> None:
    """Measure and print; also write the rows as JSON."""
    parser = argparse.ArgumentParser(prog="make bench-compare", description=__doc__)
    parser.add_argument("base", help="the commit to compare with")
    parser.add_argument("--seconds", type=float, default=2.0, help="length of one measurement")
    parser.add_argument("--rounds", type=int, default=5, help="measurements of each pair; the median counts")
    parser.add_argument("--jobs", type=int, default=1000, help="jobs in the store")
    parser.add_argument("--engine", action="append", choices=ENGINES, help="only this engine (default: uvicorn)")
    parser.add_argument("--operation", action="append", help="only operations whose name contains this")
    parser.add_argument("--json", type=Path, default=Path(".bench/compare.json"), help="where the rows go")
    given = parser.parse_args()
    effort = Effort(given.seconds, given.rounds, given.jobs)
    with tempfile.TemporaryDirectory() as folder, _checked_out(given.base, Path(folder, "base")) as tree:
        say(f"Comparing this work tree with {given.base}, {machine.go_first()}.")
        watch = machine.Watch()
        say(_HEAD)
        rows = []
        for engine in given.engine or ENGINES[:1]:
            for row in _measure(engine, tree, effort, given.operation or ()):
                say(str(row))
                rows.append(asdict(row))
        say(f"Meanwhile {watch.sentence()}.")
    machine.keep(given.json, watch.record() | {"base": given.base, "operations": rows})


@contextmanager
def _checked_out(revision: str, tree: Path) -> Iterator[Path]:
    """Check the commit out beside the work tree for a while. Exits with git's own words if that fails."""
    git = ["git", "-C", str(Path(__file__).parent), "worktree"]
    done = subprocess.run([*git, "add", "--detach", str(tree), revision], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"cannot check out {revision}: {done.stderr.strip()}")
    try:
        yield tree
    finally:
        subprocess.run([*git, "remove", "--force", str(tree)], check=True)


def _measure(engine: str, tree: Path, effort: Effort, only: Sequence[str]) -> Iterator[Row]:
    with ExitStack() as stack:
        base, new = (_served(stack, engine, where) for where in (tree, Path(__file__).parents[2]))
        both = [(_prepared(base, effort.jobs), base), (_prepared(new, effort.jobs), new)]
        for old, fresh in zip(*(cases for cases, _ in both), strict=True):
            if only and not any(word in old.name for word in only):
                continue
            servers = [server_of(service, old.side) for _, service in both]
            for connections in CONNECTIONS:
                yield _pair(engine, [old, fresh], servers, connections, effort)


def _served(stack: ExitStack, engine: str, tree: Path) -> LocalService:
    """Run the server of a source tree, with the packages of this environment."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    environment = {"PYTHONPATH": f"{tree}:{tree / 'plugins'}"}
    return stack.enter_context(LocalService(folder, f"--http-engine={engine}", environment=environment))


def _prepared(service: LocalService, jobs: int) -> list[Case]:
    with client(service.north) as operator, client(service.south) as device:
        return fixture.prepare(operator, device, jobs)


def _pair(engine: str, cases: list[Case], servers: list[Server], connections: int, effort: Effort) -> Row:
    both = list(zip(servers, cases, strict=True))
    rounds = []
    for number in range(effort.rounds):
        turn = 1 if number % 2 == 0 else -1  # in turn the first of its round, for a machine that grows slower
        readings = [read(server, case.load, connections, effort.seconds) for server, case in both[::turn]]
        rounds.append(readings[::turn])
    base, new = (_middle(readings) for readings in zip(*rounds, strict=True))
    rates = [new.rate / base.rate for base, new in rounds]
    cpus = [base.cpu / new.cpu for base, new in rounds]
    return Row(engine, cases[0].name, connections, base, new, _ratio(rates), _ratio(cpus))


def _middle(readings: tuple[Reading, ...]) -> Reading:
    return Reading(
        rate=median(one.rate for one in readings),
        p50=median(one.p50 for one in readings),
        p99=median(one.p99 for one in readings),
        cpu=median(one.cpu for one in readings),
        failed=sum(one.failed for one in readings),
    )


def _ratio(ratios: list[float]) -> Ratio:
    return Ratio(median(ratios), min(ratios), max(ratios))


if __name__ == "__main__":
    main()
