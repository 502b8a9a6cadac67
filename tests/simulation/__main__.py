"""``PYTHONPATH=tests python -m tests.simulation SEED`` lives one life and prints what happened in it.

With ``--servers`` before the seed it is one of several servers of one database, with ``--rules`` one of rules that
feed themselves.
"""

from __future__ import annotations

import sys

from tests.simulation.cluster_life import ClusterLife
from tests.simulation.life import Life
from tests.simulation.rule_life import RuleLife

*options, seed = sys.argv[1:]
life = {"--servers": ClusterLife, "--rules": RuleLife, "": Life}["".join(options)](int(seed))
try:
    life.live()
finally:
    print("\n".join(life.trace))  # noqa: T201 - that is what it is for
