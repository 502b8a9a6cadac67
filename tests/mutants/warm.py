"""Runs pytest again and again, each time in a fork of a process that has imported what tests need, and nothing of wfx.

Started in the tree to test; reads requests from standard input, a line of JSON each, and answers each by the status.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from importlib import import_module
from typing import Any

import pytest

IMPORTED = ("hypothesis.strategies", "openapi_core", "schemathesis.pytest.plugin", "pytest_asyncio.plugin", "httpx")


class Chosen:
    """Leaves tests out, by their names or by what their names contain."""

    def __init__(self, left_out: list[str], containing: list[str]) -> None:
        """Leave these out."""
        self._left_out = frozenset(left_out)
        self._containing = containing

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Called by pytest with all that it found."""
        items[:] = [item for item in items if not self._leaves_out(item.nodeid)]

    def _leaves_out(self, name: str) -> bool:
        return name in self._left_out or any(part in name for part in self._containing)


def run(request: dict[str, Any]) -> int:
    """Run pytest in a fork; the status is that of pytest, negative if it did not end while somebody waited."""
    asking = os.getppid()
    child = os.fork()
    if not child:
        _be_pytest(request)
    end = time.monotonic() + request["limit"]
    while time.monotonic() < end and os.getppid() == asking:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return abs(os.waitstatus_to_exitcode(status))
        time.sleep(0.02)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return -1


def _be_pytest(request: dict[str, Any]) -> None:
    status = 99
    try:
        os.setsid()
        output = os.open(request["output"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        for number, file in enumerate((os.open(os.devnull, os.O_RDONLY), output, output)):
            os.dup2(file, number)
        os.environ.update(request["environment"])
        status = int(pytest.main(request["arguments"], [Chosen(request["left_out"], request["containing"])]))
        sys.stdout.flush()
    finally:
        os._exit(status)


if __name__ == "__main__":
    for name in IMPORTED:
        import_module(name)
    for line in sys.stdin:
        print(run(json.loads(line)), flush=True)  # noqa: T201 - the answer
