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

SEED = 1 if "CI" in os.environ else random.randrange(10**9)
"""Decides what is asked for and which troubles there are; what is under way when they come is chance."""


@pytest.mark.timeout(600)
async def test_everything_fails_under_load(tmp_path: Path) -> None:
    """Row 50: whatever fails, what was confirmed is there once and in order, and all servers and streams agree on it.

    Servers are killed and halted, PostgreSQL breaks down, connections are ended, also in the middle of a commit. What
    was refused has not happened; what nobody was told of has happened whole, or not at all.
    """
    with Postgres() as postgres:
        outcome = await live(SEED, postgres, tmp_path, of_servers=5, of_postgres=10)
    assert outcome.cluster.done.keys() == TROUBLES.keys() - SLOW.keys(), "each trouble came"
    assert outcome.cluster.notes.outcomes[Outcome.UNKNOWN] > 0, "something was under way when a server died"
    assert all(follower.connections > 1 for follower in outcome.work.followers.values()), "each stream was cut"
