"""What two servers of one PostgreSQL promised they keep, whatever of all this fails while clients work.

``make crash-cluster`` does the same for as long as you like.
"""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest
from history_check import Outcome
from postgres_server import Postgres

from tests.acceptance.cluster.episode import live
from tests.acceptance.cluster.troubles import SLOW, TROUBLES

COUNT = int(os.environ.get("CRASH_SEEDS", "9" if "CI" in os.environ else "0"))
"""How many episodes there are; the nine of CI take three minutes together on two idle cores. 0 is one with any seed."""
SEEDS = [*range(1, COUNT + 1)] or [0]
"""Decide what is asked for and which troubles there are; what is under way when they come is chance."""


@pytest.mark.timeout(1200)
@pytest.mark.xdist_group("episodes")  # each has two servers, a PostgreSQL and eight clients: one at a time
@pytest.mark.parametrize("seed", SEEDS)
async def test_everything_fails_under_load(tmp_path: Path, seed: int) -> None:
    """Row 50: whatever fails, what was confirmed is there once and in order, and all servers and streams agree on it.

    Servers are killed and halted, PostgreSQL breaks down, connections are ended, also in the middle of a commit. What
    was refused has not happened; what nobody was told of has happened whole, or not at all.
    """
    slow = seed == SEEDS[-1] != SEEDS[0]
    with Postgres() as postgres:
        outcome = await live(
            seed or random.randrange(10**9), postgres, tmp_path, of_servers=5, of_postgres=10, slow=slow
        )
    assert outcome.cluster.done.keys() == TROUBLES.keys() - (() if slow else SLOW.keys()), "each trouble came"
    assert outcome.cluster.notes.outcomes[Outcome.UNKNOWN] > 0, "something was under way when a server died"
    assert all(follower.connections > 1 for follower in outcome.work.followers.values()), "each stream was cut"
