"""Composition root: opens all parts of the service in order, and closes them in reverse."""

from __future__ import annotations

import asyncio
import gc
import logging
import math
import signal
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from types import FrameType

from starlette.middleware import Middleware
from starlette.types import ASGIApp

from wfx.api.answer_memory import AnswerMemory
from wfx.api.app import build_app
from wfx.api.call import Services
from wfx.api.cors import CrossOriginSharing
from wfx.api.host_check import HostCheck
from wfx.api.large_bodies import LargeBodies
from wfx.api.side import Side
from wfx.config.options import Config
from wfx.events.broker import Broker
from wfx.events.retention import Retention
from wfx.filtering import Filters
from wfx.plugin.chain import PluginChain
from wfx.plugin.middleware import PluginRing
from wfx.plugin.process import PluginSettings
from wfx.server.descriptors import connections_each
from wfx.server.engine import choose
from wfx.server.limits import HttpSettings
from wfx.server.listeners import Listener, open_tcp
from wfx.server.request_line import HEAD_SLACK
from wfx.service.health import Health
from wfx.service.jobs import Jobs
from wfx.service.workflows import Workflows
from wfx.store.opening import open_store
from wfx.version import COMMIT, VERSION

log = logging.getLogger("wfx")
_STOPPING = (signal.SIGINT, signal.SIGTERM)
_SELDOM = (10_000, 5, 2)
"""Objects that the collector of cycles lets come before it looks at them, and of how many such looks one goes to the
next older ones: by default ten, which leaves old garbage for long when there are few looks."""


async def run(config: Config) -> None:
    """Serve until SIGINT or SIGTERM, then stop in order.

    Raises StoreUnusable, PluginRefused or CannotListen when it cannot start, PluginLost after it had to stop for that,
    and StoreLost when it ends without its files.
    """
    stop = asyncio.Event()
    _heed_signals(stop)
    log.info("wfx starts", extra={"fields": {"version": VERSION, "commit": COMMIT}})
    try:
        async with AsyncExitStack() as stack:
            services = await _open_services(config, stack)
            chains = await _start_plugins(config, stack, stop)
            apps = {side: build_app(side, services, _rings(config, chains[side])) for side in Side}
            _collect_seldom()
            await _serve(config, services.broker, apps, _open_listeners(config), stop)
    finally:
        for number in _STOPPING:
            signal.signal(number, signal.SIG_IGN)
    log.info("wfx stopped")
    for chain in chains.values():
        if chain.lost.done():
            raise chain.lost.result()


def _collect_seldom() -> None:
    """Spare the collector of cycles what stays for good, and what is only there while its request is.

    By default it starts at 700 new objects, which are those of some 25 requests that wait for the same commit: it would
    take them, and the jobs in memory, for what stays, and look through all of that again and again
    (``spec/decisions/0018-collect-cycles-seldom.md``).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_SELDOM)


def _heed_signals(stop: asyncio.Event) -> None:
    """Stop on the first signal; further ones change nothing, up to the end of the process.

    (The loop's own handlers would be gone once it is closed, while the interpreter still has to end.)
    """
    loop = asyncio.get_running_loop()

    def heed(_number: int, _frame: FrameType | None) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(stop.set)

    for number in _STOPPING:
        signal.signal(number, heed)


async def _open_services(config: Config, stack: AsyncExitStack) -> Services:
    log.debug('Setting up persistent storage "%s"', config.storage)
    store = await open_store(config.storage, config.storage_opt)
    stack.push_async_callback(store.close)
    broker = Broker(store)
    await broker.open()
    stack.push_async_callback(broker.close)
    await stack.enter_async_context(Retention(store, keep=config.events_keep, max_age=config.events_max_age))
    health = await stack.enter_async_context(Health(store))
    filters = await stack.enter_async_context(
        Filters(deadline=config.filter_timeout, memory=config.filter_memory, output=config.filter_output)
    )
    return Services(
        jobs=Jobs(store),
        workflows=Workflows(store),
        health=health,
        broker=broker,
        filters=filters,
        large_bodies=await stack.enter_async_context(LargeBodies(config.max_body_size)),
        answers=AnswerMemory(),
        max_body=config.max_body_size,
        ping_interval=config.sse_ping_interval,
        grace_interval=config.sse_grace_interval,
    )


async def _start_plugins(config: Config, stack: AsyncExitStack, stop: asyncio.Event) -> dict[Side, PluginChain]:
    """Start the plugins of both sides; when one is lost later, the service stops."""
    max_head = config.max_header_size + HEAD_SLACK
    settings = PluginSettings(config.max_body_size, max_head, reply_timeout=config.plugin_timeout)
    chains: dict[Side, PluginChain] = {}
    for side, directory in ((Side.SOUTH, config.client_plugins_dir), (Side.NORTH, config.mgmt_plugins_dir)):
        chain = await PluginChain.start(Path(directory), settings, stop) if directory else PluginChain(settings, stop)
        stack.push_async_callback(chain.stop)
        chains[side] = chain
    return chains


def _rings(config: Config, chain: PluginChain) -> list[Middleware]:
    sharing = [Middleware(CrossOriginSharing, config.allowed_origin)] if config.allowed_origin else []
    return [*sharing, *([Middleware(PluginRing, chain)] if len(chain) else [])]


def _http_settings(config: Config, listeners: int) -> HttpSettings:
    """Translate the options; a time of 0 is no limit, and connections are as many as there may be open files."""
    read_timeout = config.read_timeout or math.inf
    return HttpSettings(
        idle_timeout=config.cleanup_timeout or read_timeout,
        graceful_timeout=config.graceful_timeout,
        read_timeout=read_timeout,
        write_timeout=config.write_timeout or math.inf,
        max_head=config.max_header_size,
        keep_alive=config.keep_alive,
        max_connections=connections_each(config.max_connections, listeners),
        max_requests=config.max_requests,
        max_body=config.max_body_size,
    )


def _open_listeners(config: Config) -> list[Listener]:
    return [
        open_tcp(Side.SOUTH, config.client_host, config.client_port),
        open_tcp(Side.NORTH, config.mgmt_host, config.mgmt_port),
    ]


async def _serve(
    config: Config, broker: Broker, apps: Mapping[Side, ASGIApp], listeners: Sequence[Listener], stop: asyncio.Event
) -> None:
    """Run an engine per listener. On stop, event streams end first, so that engines need not wait for them."""
    settings = _http_settings(config, len(listeners))
    engine = choose(config.http_engine)
    drain = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for listener in listeners:
            app = apps[listener.side]
            if listener.is_loopback:
                app = HostCheck(app, config.allowed_host)
            group.create_task(engine(app, listener, settings, drain))
            fields = {"side": str(listener.side), "addr": listener.address, "scheme": listener.scheme, "tls": False}
            log.info("listening", extra={"fields": fields})
        await stop.wait()
        log.info("stopping")
        await broker.close()
        drain.set()
