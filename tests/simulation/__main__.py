"""``PYTHONPATH=tests python -m tests.simulation SEED`` lives one life and prints what happened in it."""

from __future__ import annotations

import sys

from tests.simulation.life import Life

life = Life(int(sys.argv[1]))
try:
    life.live()
finally:
    print("\n".join(life.trace))  # noqa: T201 - that is what it is for
