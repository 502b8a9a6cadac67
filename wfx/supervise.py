"""Supervisor: runs the composed service until a signal, or the loss of a plugin, stops it."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from types import FrameType

from wfx.compose import Composition, compose
from wfx.config.live_reload import LiveReload, Load, LoadedConfig
from wfx.server.listeners import Listener, open_listeners, serve
from wfx.version import COMMIT, VERSION

log = logging.getLogger("wfx")
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_GC_THRESHOLDS = (10_000, 5, 2)
"""For ``gc.set_threshold``: new objects before a collection of the youngest generation, and collections of a generation
before one of the next."""


async def run(loaded: LoadedConfig, load: Load) -> None:
    """Serve until SIGINT or SIGTERM, then stop in order. SIGHUP, and a change of configuration files, reloads.

    Raises StoreUnusable, PluginRefused or CannotListen when it cannot start, PluginLost after it had to stop for that,
    and StoreLost when it ends without its files.
    """
    stop, hang_up = asyncio.Event(), asyncio.Event()
    _handle_signals({signal.SIGINT: stop, signal.SIGTERM: stop, signal.SIGHUP: hang_up})
    log.info("wfx starts", extra={"fields": {"version": VERSION, "commit": COMMIT}})
    try:
        async with AsyncExitStack() as stack:
            service = await compose(loaded.config, stack, stop)
            _tune_garbage_collector()
            listeners = open_listeners(loaded.config)
            async with LiveReload(service.reload, loaded, load, hang_up):
                await _serve(service, listeners, stop)
    finally:
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_IGN)
    log.info("wfx stopped")
    for chain in service.plugins.values():
        if chain.lost.done():
            raise chain.lost.result()


async def _serve(service: Composition, listeners: Sequence[Listener], stop: asyncio.Event) -> None:
    """Serve until ``stop`` is set. Then event streams end first, so that engines need not wait for them."""
    drain = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        serve(group, listeners, service.app, service.limits, drain)
        await stop.wait()
        log.info("stopping")
        await service.services.broker.close()
        drain.set()


def _tune_garbage_collector() -> None:
    """Spare the collector of cycles what stays for good, and what is only there while its request is.

    By default it starts after a few hundred new objects, which are those of some 25 requests that wait for the same
    commit: it would take them, and the jobs in memory, for what stays, and look through all of that again and again
    (``spec/decisions/0018-collect-cycles-seldom.md``).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_GC_THRESHOLDS)


def _handle_signals(events: Mapping[signal.Signals, asyncio.Event]) -> None:
    """Set an event on each of these signals, up to the end of the process.

    (The loop's own handlers would be gone once it is closed, while the interpreter still has to end.)
    """
    loop = asyncio.get_running_loop()

    def handle(number: int, _frame: FrameType | None) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(events[signal.Signals(number)].set)

    for number in events:
        signal.signal(number, handle)
