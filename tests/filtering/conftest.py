"""Filters that outlive one test, for the many small programs; a worker takes a while to start."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace

import pytest

from wfx.filtering import Filters


class Workbench:
    """Runs one program after the other, with time enough for a busy machine."""

    def __init__(self, runner: asyncio.Runner, filters: Filters) -> None:
        """Use the filters on the runner's loop."""
        self._runner = runner
        self._filters = filters

    def run(self, text: str, document: bytes) -> bytes:
        """Prepare and apply, as the API does."""
        return self._runner.run(self._run(text, document, in_worker=False))

    def run_in_worker(self, text: str, document: bytes) -> bytes:
        """Prepare and apply, but let even a finite program be run by a worker."""
        return self._runner.run(self._run(text, document, in_worker=True))

    def runs_here(self, text: str) -> bool:
        """Tell whether the program may run in this process."""
        return self._runner.run(self._filters.prepare(text)).finite is not None

    async def _run(self, text: str, document: bytes, *, in_worker: bool) -> bytes:
        program = await self._filters.prepare(text)
        return await self._filters.apply(replace(program, finite=None) if in_worker else program, document)


@pytest.fixture(scope="module")
def bench() -> Iterator[Workbench]:
    """Filters with a long deadline: what is asked of them here is right or wrong, not quick or slow."""
    with asyncio.Runner() as runner:
        filters = Filters(deadline=30)
        yield Workbench(runner, filters)
        runner.run(filters.close())
