"""``make fuzz``: requests, bytes and frames that nobody would send, for a long time.

Three parts of equal length: Schemathesis against both sides, with requests made from the API's document; bytes to the
ports of both engines, which must give the same answers; bytes to what reads the answers of plugins. Ends with the first
thing that is not as it should be; ``--seed`` repeats the bytes of an earlier run.
"""
# ruff: noqa: T201 - it prints

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.acceptance.fuzzing import fuzz
from tests.fuzz import edge, frames
from wfx.api import spec
from wfx.commandline import durations
from wfx.demo.local import LocalService


def repeat(attack: Callable[[random.Random], bytes], seed: str, seconds: float) -> int:
    """Attack until the time is over; return how often. Raises what goes wrong, with the number of the attack noted."""
    until, number = time.monotonic() + seconds, 0
    while time.monotonic() < until:
        number += 1
        try:
            attack(random.Random(f"{seed}.{number}"))
        except Exception as exc:
            exc.add_note(f"attack {number} of seed {seed}")
            raise
    return number


def fuzz_frames(seed: str, seconds: float) -> int:
    """Attack what reads the answers of plugins."""
    return repeat(frames.attack, seed, seconds)


def fuzz_edge(seed: str, seconds: float) -> int:
    """Attack the ports of both engines."""
    with tempfile.TemporaryDirectory() as folder, edge.both(Path(folder)) as both:
        count = repeat(both.attack, seed, seconds)
        both.check()
    return count


def fuzz_api(seconds: float) -> None:
    """Let Schemathesis attack both sides, each on another engine, and the fleet API."""
    wfx, fleet = spec.DOCUMENTS
    for side, engine, name in (("north", "uvicorn", wfx), ("south", "hypercorn", wfx), ("north", "hypercorn", fleet)):
        with tempfile.TemporaryDirectory() as folder, LocalService(Path(folder), f"--http-engine={engine}") as service:
            address = service.north if side == "north" else service.south
            limit = f"--max-time={max(1, round(seconds / 3))}"
            fuzz(service, address, "fuzz", limit, timeout=seconds + 300, name=name)


def main(arguments: list[str]) -> int:
    """Run all parts."""
    parser = argparse.ArgumentParser("make fuzz", description=__doc__)
    parser.add_argument("--duration", default="30m", type=durations.parse, help="how long in all (30m)")
    parser.add_argument("--seed", default=str(random.randrange(10**9)), help="of the bytes (chosen at random)")
    given = parser.parse_args(arguments)
    part = given.duration / 3
    print(f"seed {given.seed}", flush=True)
    print(f"frames of plugins: {fuzz_frames(given.seed, part):,} times, nothing found", flush=True)
    print(f"bytes to both engines: {fuzz_edge(given.seed, part):,} times, nothing found", flush=True)
    fuzz_api(part)
    print(f"the API: {durations.show(part)}, nothing found")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
