"""Progress bar on standard error, on terminals only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from wfx.commandline.terminal import Stream

_DRAWINGS_A_SECOND = 5


@contextmanager
def shown(err: Stream) -> Iterator[Callable[[str, int, int], None]]:
    """Yield what takes the progress: what is being done, how much of it, and out of how much (0: not known)."""
    if not err.is_terminal:
        yield lambda _what, _done, _total: None
        return
    from rich.console import Console  # rich takes 50 ms to import: only a terminal pays for it
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(
        *columns,
        console=Console(stderr=True),
        refresh_per_second=_DRAWINGS_A_SECOND,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    ) as bar:
        task = bar.add_task("", total=None)

        def show(what: str, done: int, total: int) -> None:
            bar.update(task, description=what, completed=done, total=total or None)

        yield show
