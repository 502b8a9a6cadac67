"""One run from the first connection to the last answer."""

from __future__ import annotations

import asyncio
import resource
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import uvloop

from wfx_loadtest import live, ramp
from wfx_loadtest.metrics import Metrics
from wfx_loadtest.result import Result
from wfx_loadtest.scenario import SCENARIOS
from wfx_loadtest.session import Session, opened
from wfx_loadtest.settings import Settings


def run(settings: Settings) -> Result:
    """Put the service under load. Raises WireError or WorkflowMissing if it cannot even begin."""
    _allow_many_connections()
    return uvloop.run(execute(settings))


async def execute(settings: Settings) -> Result:
    """Put the service under load on the running loop; the first SIGINT or SIGTERM ends it early, but in order."""
    async with opened(settings) as session:
        with _stopping(session.stop):
            service = await session.service_version()
            if settings.target is not None:
                return replace(await _ramp(session, settings.target), service=service)
            async with live.shown(session, sys.stderr):
                facts = await SCENARIOS[settings.scenario](session)
            return Result(settings, session.when, session.metrics, facts, session.stop.is_set(), service)


async def _ramp(session: Session, target: int) -> Result:
    whole = session.settings
    per_second = max(whole.read_freq + whole.write_freq, 1)

    async def attempt(rate: int) -> Metrics:
        reads = round(rate * whole.read_freq / per_second)
        length = whole.duration // ramp.STEPS
        session.settings = replace(whole, duration=length, read_freq=reads, write_freq=rate - reads)
        async with live.shown(session, sys.stderr):
            await SCENARIOS[whole.scenario](session)
        return Metrics(0, 1) if session.stop.is_set() else session.metrics

    steps = await ramp.find(per_second, target, attempt)
    shown = ramp.best(steps) or (steps[0] if steps else None)
    metrics = shown.metrics if shown else session.metrics
    return Result(whole, session.when, metrics, ramp.facts(steps, target), session.stop.is_set())


def _allow_many_connections() -> None:
    """Use as many file descriptors as the system grants: running out of them would look like the service's failure."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


@contextmanager
def _stopping(stop: asyncio.Event) -> Iterator[None]:
    """Let the first signal ask for an end; a second one finds the usual, abrupt behaviour again."""
    loop = asyncio.get_running_loop()
    signals = (signal.SIGINT, signal.SIGTERM)

    def asked() -> None:
        stop.set()
        for number in signals:
            loop.remove_signal_handler(number)

    for number in signals:
        loop.add_signal_handler(number, asked)
    try:
        yield
    finally:
        for number in signals:
            loop.remove_signal_handler(number)
