"""``make mutants``: small changes to the code, one at a time, and whether any test notices.

Each change is made in a copy of the tree, and the tests of its module run on it until the first fails. What survives is
printed: either an assertion is missing, or the change makes no difference; then it goes into the table of
``spec/mutants.md``, with the reason. Verdicts are kept in ``.mutants``, so a run may be broken off and goes on later; a
verdict counts until its module changes (``--again`` tries survivors once more, after tests were added).
"""
# ruff: noqa: T201 - it prints

from __future__ import annotations

import argparse
import queue
import sys
import threading
from collections import Counter
from contextlib import closing

from tests.mutants import report
from tests.mutants.areas import AREAS, ROOT, modules_of
from tests.mutants.durations import Durations
from tests.mutants.mutations import Mutant, sample
from tests.mutants.state import State, Verdict, digest_of
from tests.mutants.trying import SURVIVED, BaselineError, Stage, Tree, stages

PLACE = ROOT / ".mutants"
ALL = 10**9
LEAST_LIMIT = 60.0
SLOWER = 5
"""How many times as long as without a mutant tests may take before they are given up."""


class Run:
    """Trials side by side, each in a tree of its own."""

    def __init__(self, state: State, *, thorough: bool) -> None:
        """Keep the verdicts in ``state``; try what survives on the tests that take long, too, if ``thorough``."""
        self._state = state
        self._thorough = thorough
        self._durations = Durations(PLACE / "durations.json")
        self._waiting: queue.SimpleQueue[Mutant] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._measuring = threading.Lock()
        """Held while tests are measured, so that trees do not measure the same ones."""
        self._failed: list[BaselineError] = []

    def work(self, mutants: list[Mutant], jobs: int) -> None:
        """Try all. Raises BaselineError."""
        for mutant in mutants:
            self._waiting.put(mutant)
        threads = [threading.Thread(target=self._try_all, args=(number,), daemon=True) for number in range(jobs)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if self._failed:
            raise self._failed[0]

    def _try_all(self, number: int) -> None:
        with closing(Tree(PLACE / f"tree-{number}", self._durations)) as tree:
            while not self._waiting.empty() and not self._failed:
                try:
                    self._try(tree, self._waiting.get_nowait())
                except queue.Empty:
                    break
                except BaselineError as exc:
                    self._failed.append(exc)

    def _try(self, tree: Tree, mutant: Mutant) -> None:
        digest = digest_of(mutant.module)
        with self._measuring:
            tree.measure(mutant.module)
        wanted = stages(mutant.module, self._noticed(mutant.module), thorough=self._thorough)
        outcome, by = tree.attempt(mutant.module, mutant.code() or "", wanted, self._limit)
        with self._lock:
            self._state.add(Verdict(mutant.name, mutant.module, digest, outcome, by, tuple(mutant.diff())))
            print(f"{outcome:10} {mutant.name}  {by}", flush=True)

    def _noticed(self, module: str) -> Counter[str]:
        """How many mutants each file of tests noticed; those of the same module count more."""
        with self._lock:
            found = Counter[str]()
            for one in self._state.verdicts.values():
                found[one.by.partition("::")[0]] += 1000 if one.module == module else 1
            return found

    def _limit(self, stage: Stage) -> float:
        return LEAST_LIMIT + SLOWER * sum(self._durations.total(tests, stage.longest) for tests in stage.files)


def main(arguments: list[str]) -> int:
    """Try mutants and print the table."""
    parser = argparse.ArgumentParser("make mutants", description=__doc__)
    parser.add_argument("areas", nargs="*", metavar="AREA", help=f"of {', '.join(AREAS)}, or modules (all)")
    parser.add_argument("--sample", type=int, default=ALL, help="how many of each area to try (all)")
    parser.add_argument("--seed", default="1", help="which ones (1)")
    parser.add_argument("--jobs", type=int, default=1, help="how many side by side (1)")
    parser.add_argument("--again", action="store_true", help="try survivors once more")
    parser.add_argument("--thorough", action="store_true", help="try them on the tests that take long, too")
    parser.add_argument("--report", action="store_true", help="only print what is known")
    given = parser.parse_args(arguments)
    state = State(PLACE / "verdicts.jsonl")
    if not given.report:
        wanted = []
        for area in given.areas or AREAS:
            modules = [area] if area.endswith(".py") else list(modules_of(area))
            wanted += sample(modules, given.sample, given.seed)
        known = {name for name, one in state.verdicts.items() if not (given.again and one.outcome == SURVIVED)}
        wanted = [mutant for mutant in wanted if mutant.name not in known]
        print(f"{len(wanted):,} mutants to try, {len(known):,} known", flush=True)
        Run(state, thorough=given.thorough).work(wanted, given.jobs)
    print("\n".join(report.lines(state.verdicts.values())))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
