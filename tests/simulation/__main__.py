"""``PYTHONPATH=tests python -m tests.simulation SEED`` lives one life and prints what happened in it.

With ``--servers`` before the seed it is one of several servers of one database.
"""

from __future__ import annotations

import sys

from tests.simulation.cluster_life import ClusterLife
from tests.simulation.life import Life

*options, seed = sys.argv[1:]
life = (ClusterLife if options == ["--servers"] else Life)(int(seed))
try:
    life.live()
finally:
    print("\n".join(life.trace))  # noqa: T201 - that is what it is for
