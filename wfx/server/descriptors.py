"""Limit of open file descriptors, raised at start to fit the limit of connections."""

from __future__ import annotations

import resource
from pathlib import Path

_SPARE = 20
"""Files that the service may want to open while all connections are taken: databases, workers, plugins; and what the
system has accepted by the time the count is looked at."""
_MOST = 1 << 20


def connections_possible(listeners: int) -> int:
    """Say how many connections each listener may have before descriptors run out.

    Raises the limit of the process as far as it may itself; what it has open at the moment stays out of account.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = _MOST if hard == resource.RLIM_INFINITY else min(hard, _MOST)
    if soft != resource.RLIM_INFINITY and soft < limit:
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    else:
        limit = max(limit, min(soft, _MOST))
    free = limit - sum(1 for _ in Path("/dev/fd").iterdir()) - _SPARE
    return max(1, free // listeners)
