"""Supervisor: runs the composed service until a signal, or the loss of a plugin, stops it."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import pwd
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack

from wfx.compose import Composition, compose
from wfx.config.live_reload import LiveReload, Load, LoadedConfig
from wfx.server.listeners import Listener, serve
from wfx.server.start_checks import START_CHECKS
from wfx.signals import ControlEvents, signals_handled
from wfx.systemd import ServiceManager
from wfx.version import COMMIT, VERSION
from wfx.workers.handover import Handover
from wfx.workers.launch import Launch, WorkerLaunch
from wfx.workers.main_launch import MainLaunch

log = logging.getLogger("wfx")
_GC_THRESHOLDS = (10_000, 5, 2)
"""For ``gc.set_threshold``: new objects before a collection of the youngest generation, and collections of a generation
before one of the next."""


async def run(loaded: LoadedConfig, load: Load, handover: Handover | None = None) -> None:
    """Serve until SIGINT or SIGTERM, then stop in order; on a second signal, without waiting for anybody.

    SIGHUP, and a change of configuration files, reloads. A worker process has a handover of its parent, which may ask
    for the same.

    Raises StoreUnusable, PluginRefused, CannotUseTls, PassedSocketsUnusable or CannotListen when it cannot start,
    PluginLost after it had to stop for that, and StoreLost when it ends without its files.
    """
    config, control = loaded.config, ControlEvents()
    with signals_handled(control, has_parent=handover is not None):
        launch: Launch = MainLaunch(config) if handover is None else WorkerLaunch(handover, control)
        log.info("wfx starts", extra={"fields": {"version": VERSION, "commit": COMMIT, "user": _user()}})
        async with AsyncExitStack() as stack:
            stack.callback(launch.manager.close)
            service = await compose(config, stack, control.stop, launch.siblings)
            if launch.tls is not None:
                service.running_config.on_reload(launch.tls.prepare)
            for option, check in START_CHECKS.items():
                service.running_config.check_at_restart(option, check)
            plugin_killer = asyncio.create_task(_kill_plugins(service, control))
            stack.callback(plugin_killer.cancel)
            _tune_garbage_collector()
            if not control.stop.is_set():
                listeners = launch.open_listeners()
                reload = LiveReload(service.running_config, loaded, load, control.reload, launch.manager)
                await _serve(service, listeners, reload, control, launch.manager)
    log.info("wfx stopped")
    for chain in service.plugins.values():
        if chain.lost.done():
            raise chain.lost.result()


async def _serve(
    service: Composition,
    listeners: Sequence[Listener],
    reload: AbstractAsyncContextManager[object],
    control: ControlEvents,
    manager: ServiceManager,
) -> None:
    """Serve, and reload, until the service shall stop. Then event streams end first, so that no engine waits for them.

    Once it shall stop at once, nothing is waited for.
    """
    drain = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        engines = serve(group, listeners, service.app, service.limits, drain)
        watchdog = group.create_task(manager.keep_alive())
        manager.ready(f"serving on {', '.join(listener.address for listener in listeners)}")
        async with reload:
            await control.stop.wait()
            service.monitoring.readiness.stop()
        log.info("stopping")
        manager.stopping()
        await service.services.broker.close()
        log.info("event streams have ended")
        drain.set()
        engine_canceller = group.create_task(_break_off(engines, control))
        await asyncio.wait(engines)
        log.info("listeners are closed")
        engine_canceller.cancel()
        watchdog.cancel()


async def _break_off(engines: Sequence[asyncio.Task[None]], control: ControlEvents) -> None:
    await control.at_once.wait()
    log.warning("second signal: aborting running requests")
    for engine in engines:
        engine.cancel()


async def _kill_plugins(service: Composition, control: ControlEvents) -> None:
    """Kill the plugins once the service shall stop at once, so that nobody waits for their ends."""
    await control.at_once.wait()
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
