"""Rules that feed themselves come to an end, whenever servers die and whatever becomes of their commits.

``WFX_SIM_SEEDS`` and ``WFX_SIM_FIRST`` are those of the other lives; of rules there is one life for ten of them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable

import pytest

from tests.simulation.rule_life import RuleLife
from tests.simulation.test_simulation import FIRST, SEEDS
from wfx.reactions.effects import Lineage
from wfx.reactions.facts import GatheredFacts
from wfx.store.operations import TakeStep
from wfx.store.sqlite import consumers

LIVES = max(SEEDS // 10, 1)


def live_all(seeds: Iterable[int]) -> list[RuleLife]:
    """Live lives; a failure names the seed."""
    lives = [RuleLife(seed) for seed in seeds]
    for life in lives:
        try:
            life.live()
        except Exception as exc:
            again = f"PYTHONPATH=tests python -m tests.simulation --rules {life.seed}"
            raise AssertionError(f"seed {life.seed} fails; to live it again: {again}") from exc
    return lives


@pytest.mark.timeout(60 + 20 * LIVES)
def test_lives_of_rules() -> None:
    """Rules that create jobs for jobs and give tags back stop at the limits, each effect once; then all is at rest.

    With and without an option, with limits that have actions and webhooks wait and without, two servers that race,
    commits that fail, and rules that die at any moment.
    """
    lives = live_all(FIRST + number for number in range(LIVES))
    assert sum(life.deaths for life in lives) >= LIVES


def test_actions_of_lives_wait() -> None:
    """In some life of thirty, actions wait for limits as tasks."""
    assert any(life.tasks.waited for seed in range(30) for life in live_all((seed,)))


def test_a_seed_of_rules_is_a_life() -> None:
    """The same seed gives the same trace; another seed another one."""
    first, again, other = (life.trace for life in live_all((7, 7, 8)))
    assert first == again != other


def step_twice(patch: pytest.MonkeyPatch) -> None:
    """The store lets two consumers take one step."""

    def move(connection: sqlite3.Connection, step: TakeStep) -> None:
        connection.execute("UPDATE consumer SET position = ?, steps = steps + 1", (step.upto,))

    patch.setattr(consumers, "move", move)


def forget(patch: pytest.MonkeyPatch) -> None:
    """Rules do not know how often they have acted in a chain."""

    async def lineage(_: GatheredFacts, root: str, limit: int) -> Lineage:
        return Lineage(root, {}, limit)

    patch.setattr(GatheredFacts, "lineage", lineage)


@pytest.mark.parametrize("plant", [step_twice, forget])
def test_faulty_rules_are_found(plant: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """A step that is taken twice, and counts that are lost, fail the simulation within a few seeds."""
    plant(monkeypatch)
    with pytest.raises(AssertionError, match=r"seed \d+ fails; .* python -m tests\.simulation --rules \d+"):
        live_all(range(20))
