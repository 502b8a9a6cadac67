"""What a user sees while a run lasts: a bar with the rate, p99 and errors of the last moment; on terminals only.

Drawing costs 1 ms, twice a second, in the thread that also sends: at 1,000 requests a second that can make two of them
up to 1 ms later, which is below what shows in a p99. A drawing thread would hold the interpreter's lock for longer.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TextIO

from wfx_loadtest.duration import MICROSECOND, SECOND, rounded
from wfx_loadtest.session import Session

_PERIOD = SECOND // 2


@asynccontextmanager
async def shown(session: Session, stream: TextIO) -> AsyncIterator[None]:
    """Show the session's progress on the stream while the block runs, if it is a terminal."""
    if not stream.isatty():
        yield
        return
    drawing = asyncio.create_task(_draw(session, stream))
    try:
        yield
    finally:
        drawing.cancel()
        await asyncio.gather(drawing, return_exceptions=True)


async def _draw(session: Session, stream: TextIO) -> None:
    from rich.console import Console  # rich takes 50 ms to import: only a terminal pays for it
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[figures]}"),
        TimeRemainingColumn(),
    )
    with Progress(
        *columns,
        console=Console(file=stream),
        auto_refresh=False,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    ) as bar:
        task = bar.add_task(session.settings.scenario, total=session.settings.duration, figures="")
        while True:
            session.metrics.recent, requests, since = [], session.metrics.requests, session.clock.now()
            await session.clock.until(since + _PERIOD)
            now = session.clock.now()
            rate = max(session.metrics.requests - requests, 0) * SECOND / (now - since)
            bar.update(task, completed=now - session.metrics.started, figures=_figures(session, rate))
            bar.refresh()


def _figures(session: Session, rate: float) -> str:
    metrics = session.metrics
    recent = sorted(metrics.recent or [0])
    p99 = recent[min(len(recent) - 1, len(recent) * 99 // 100)]
    errors = metrics.failures
    late = "  [yellow]generator late[/]" if metrics.lateness.behind else ""
    colour = "red" if errors else "green"
    return f"{rate:,.0f} req/s  p99 {rounded(p99 // MICROSECOND * MICROSECOND)}  [{colour}]{errors:,} errors[/]{late}"
