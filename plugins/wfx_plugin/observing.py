"""Runs a plugin that observes: it is told how requests were answered, and decides nothing."""

from __future__ import annotations

import signal
from collections.abc import Callable
from dataclasses import replace
from types import FrameType

from wfx_plugin.channel import Channel
from wfx_plugin.model import Answer, Request
from wfx_plugin.running import log, log_to_stderr
from wfx_plugin.wire import read_answered

Observe = Callable[[Request, Answer], None]


def run_observer(observe: Observe) -> None:
    """Call a function for each request that was answered, one after the other, until the server closes the pipe.

    Callers have their answers already, so the function may take its time; if it is slower than requests come for long,
    some are left out, and the next ``Answer.lost`` says how many. If it raises, the traceback goes to standard error as
    an error, which the server reports, and the next one follows. SIGTERM is left to those that decide: what the server
    has written is read to its end, which is when the server has stopped.
    """
    log_to_stderr()
    signal.signal(signal.SIGTERM, _go_on)
    seen = 0
    with Channel() as channel:
        while frame := channel.read():
            number, request, answer = read_answered(frame)
            if answer is None:
                raise SystemExit("this plugin observes: put it into the subdirectory observe of the plugin directory")
            seen, lost = number, number - seen - 1
            try:
                observe(request, replace(answer, lost=lost))
            except Exception:  # noqa: BLE001 - whatever an author's function raises must not end the plugin
                log.exception("failed on %s", request.destination)


def _go_on(number: int, frame: FrameType | None) -> None:
    """Take no notice; unlike an ignored signal, programs that the plugin starts do not inherit that."""
