"""A PostgreSQL that stands still, as on a machine that hangs: the system still takes connections and bytes for it."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psutil
from postgres_server import Postgres


@contextmanager
def frozen(server: Postgres) -> Iterator[None]:
    """Stop all processes of the server, and let them go on in the end."""
    assert server.process is not None
    parent = psutil.Process(server.process.pid)
    parent.send_signal(signal.SIGSTOP)  # first: then there are no new ones
    processes = [parent, *parent.children(recursive=True)]
    for each in processes:
        each.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for each in processes:
            with suppress(psutil.NoSuchProcess):
                each.send_signal(signal.SIGCONT)
