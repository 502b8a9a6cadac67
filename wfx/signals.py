"""Signals of a service: SIGINT and SIGTERM stop it, a second one at once, SIGHUP has it reload."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True, slots=True)
class ControlEvents:
    """What the service was asked to do, by signals or by the process that has started it."""

    stop: asyncio.Event = field(default_factory=asyncio.Event)
    at_once: asyncio.Event = field(default_factory=asyncio.Event)
    """Whether it shall wait for nobody when it stops."""
    reload: asyncio.Event = field(default_factory=asyncio.Event)


@contextmanager
def signals_handled(control: ControlEvents, *, has_parent: bool = False) -> Iterator[None]:
    """Note what signals ask for, on the running loop; afterwards they are ignored, up to the end of the process.

    (The loop's own handlers would be gone once it is closed, while the interpreter still has to end.) With a parent,
    who is asked to stop as well, a second signal means nothing: systemd sends one to all processes of a service.
    """
    loop = asyncio.get_running_loop()

    def note(number: int) -> None:
        if number == signal.SIGHUP:
            control.reload.set()
        elif control.stop.is_set() and not has_parent:
            control.at_once.set()
        else:
            control.stop.set()

    def handle(number: int, _frame: FrameType | None) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(note, number)

    for number in _SIGNALS:
        signal.signal(number, handle)
    try:
        yield
    finally:
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_IGN)
