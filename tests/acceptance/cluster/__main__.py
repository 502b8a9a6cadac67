"""``make crash-cluster``: two servers on one PostgreSQL, which fail in every way, for as long as you like.

An episode is some troubles on a database of its own, drawn from a seed, and a verdict. Episodes follow each other, each
with the next seed, until the time is over or a verdict finds something.
"""
# ruff: noqa: T201 - it prints

from __future__ import annotations

import argparse
import asyncio
import itertools
import random
import sys
import tempfile
import time
from pathlib import Path

from postgres_server import Postgres

from tests.acceptance.cluster.episode import live
from wfx.commandline import durations

TROUBLES_OF_SERVERS, TROUBLES_OF_POSTGRES = 12, 30
"""How many in an episode."""


def main(arguments: list[str]) -> int:
    """Live episodes. Raises what goes wrong, with the seed noted."""
    parser = argparse.ArgumentParser("make crash-cluster", description=__doc__)
    parser.add_argument("--duration", default="3m", type=durations.parse, help="begin no episode after this (3m)")
    parser.add_argument("--seed", default=random.randrange(10**9), type=int, help="of the first episode (random)")
    given = parser.parse_args(arguments)
    until = time.monotonic() + given.duration
    with tempfile.TemporaryDirectory() as folder, Postgres() as postgres:
        for seed in itertools.count(given.seed):
            print(f"seed {seed} ...", flush=True)
            place = Path(folder) / f"{seed}"
            lived = live(
                seed, postgres, place, of_servers=TROUBLES_OF_SERVERS, of_postgres=TROUBLES_OF_POSTGRES, slow=True
            )
            print(asyncio.run(lived), flush=True)
            if time.monotonic() >= until:
                break
    print("nothing is wrong")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
