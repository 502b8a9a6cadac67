"""Supervisor: runs the composed service until a signal, or the loss of a plugin, stops it."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import pwd
import signal
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from types import FrameType

from wfx.compose import Composition, compose
from wfx.config.live_reload import LiveReload, Load, LoadedConfig
from wfx.server.listener_warnings import listener_warnings
from wfx.server.listeners import Listener, open_listeners, serve
from wfx.server.socket_activation import passed_sockets
from wfx.server.start_checks import START_CHECKS
from wfx.server.tls import Tls
from wfx.systemd import ServiceManager
from wfx.version import COMMIT, VERSION

log = logging.getLogger("wfx")
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_GC_THRESHOLDS = (10_000, 5, 2)
"""For ``gc.set_threshold``: new objects before a collection of the youngest generation, and collections of a generation
before one of the next."""


async def run(loaded: LoadedConfig, load: Load) -> None:
    """Serve until SIGINT or SIGTERM, then stop in order; on a second signal, without waiting for anybody.

    SIGHUP, and a change of configuration files, reloads.

    Raises StoreUnusable, PluginRefused, CannotUseTls, PassedSocketsUnusable or CannotListen when it cannot start,
    PluginLost after it had to stop for that, and StoreLost when it ends without its files.
    """
    config = loaded.config
    stop, at_once, hang_up = asyncio.Event(), asyncio.Event(), asyncio.Event()
    _handle_signals(stop, at_once, hang_up)
    manager = ServiceManager(os.environ)
    passed = passed_sockets()
    tls = Tls.of(config)
    log.info("wfx starts", extra={"fields": {"version": VERSION, "commit": COMMIT, "user": _user()}})
    try:
        async with AsyncExitStack() as stack:
            stack.callback(manager.close)
            service = await compose(config, stack, stop)
            if tls is not None:
                service.running_config.on_reload(tls.prepare)
            for option, check in START_CHECKS.items():
                service.running_config.check_at_restart(option, check)
            plugin_killer = asyncio.create_task(_kill_plugins(service, at_once))
            stack.callback(plugin_killer.cancel)
            _tune_garbage_collector()
            if not stop.is_set():
                listeners = open_listeners(config, tls, passed)
                for warning in listener_warnings(config, listeners, passed=bool(passed)):
                    log.warning(warning)
                reload = LiveReload(service.running_config, loaded, load, hang_up, manager)
                await _serve(service, listeners, reload, stop, at_once, manager)
    finally:
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_IGN)
    log.info("wfx stopped")
    for chain in service.plugins.values():
        if chain.lost.done():
            raise chain.lost.result()


async def _serve(
    service: Composition,
    listeners: Sequence[Listener],
    reload: AbstractAsyncContextManager[object],
    stop: asyncio.Event,
    at_once: asyncio.Event,
    manager: ServiceManager,
) -> None:
    """Serve, and reload, until ``stop`` is set. Then event streams end first, so that engines need not wait for them.

    Once ``at_once`` is set, nothing is waited for.
    """
    drain = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        engines = serve(group, listeners, service.app, service.limits, drain)
        watchdog = group.create_task(manager.keep_alive())
        manager.ready(f"serving on {', '.join(listener.address for listener in listeners)}")
        async with reload:
            await stop.wait()
            service.monitoring.readiness.stop()
        log.info("stopping")
        manager.stopping()
        await service.services.broker.close()
        log.info("event streams have ended")
        drain.set()
        engine_canceller = group.create_task(_break_off(engines, at_once))
        await asyncio.wait(engines)
        log.info("listeners are closed")
        engine_canceller.cancel()
        watchdog.cancel()


async def _break_off(engines: Sequence[asyncio.Task[None]], at_once: asyncio.Event) -> None:
    await at_once.wait()
    log.warning("second signal: aborting running requests")
    for engine in engines:
        engine.cancel()


async def _kill_plugins(service: Composition, at_once: asyncio.Event) -> None:
    """Kill the plugins once ``at_once`` is set, so that nobody waits for their ends."""
    await at_once.wait()
    for chain in service.plugins.values():
        chain.kill()


def _user() -> str:
    """Return the name of the user that runs this process, or the number if it has none."""
    number = os.geteuid()
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def _tune_garbage_collector() -> None:
    """Spare the collector of cycles what stays for good, and what is only there while its request is.

    By default it starts after a few hundred new objects, which are those of some 25 requests that wait for the same
    commit: it would take them, and the jobs in memory, for what stays, and look through all of that again and again
    (``spec/decisions/0018-collect-cycles-seldom.md``).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_GC_THRESHOLDS)


def _handle_signals(stop: asyncio.Event, at_once: asyncio.Event, hang_up: asyncio.Event) -> None:
    """Stop on SIGINT or SIGTERM, at once on a second one, and hang up on SIGHUP, up to the end of the process.

    (The loop's own handlers would be gone once it is closed, while the interpreter still has to end.)
    """
    loop = asyncio.get_running_loop()

    def note(number: int) -> None:
        if number == signal.SIGHUP:
            hang_up.set()
        else:
            (at_once if stop.is_set() else stop).set()

    def handle(number: int, _frame: FrameType | None) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(note, number)

    for number in _SIGNALS:
        signal.signal(number, handle)
