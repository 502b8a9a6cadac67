"""Composition root: builds the parts of the service, and the app of each side, from the configuration.

It opens no socket and handles no signal: :mod:`wfx.server.listeners` and :mod:`wfx.supervise` do.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from starlette.middleware import Middleware
from starlette.types import ASGIApp, Scope

from wfx import logs
from wfx.api.answer_memory import AnswerMemory
from wfx.api.app import Dispatch, build_app
from wfx.api.cors import CrossOriginSharing
from wfx.api.downloads import Downloads
from wfx.api.host_check import HostCheck
from wfx.api.large_bodies import LargeBodies
from wfx.api.probes import Probe, Probes, alive, ready
from wfx.api.rate_limit import RateLimit
from wfx.api.request_counts import HOST_CHECK, PLUGIN, PREFLIGHT, RATE_LIMIT, RequestCounts
from wfx.api.routes import Mount
from wfx.api.services import Services
from wfx.compose_rules import open_rules, open_scripts, prepare_rules, rule_consumer, rule_tasks
from wfx.config.cross_checks import OptionRefused
from wfx.config.encryption import sealing_of
from wfx.config.option_checks import host_and_port
from wfx.config.options import BY_NAME, Config
from wfx.config.running_config import RunningConfig
from wfx.config.tunables import Derived, Holder, Tunables
from wfx.diagnostics import DebugSources, Diagnostics, RunningScripts
from wfx.domain.errors import StoreUnusable
from wfx.events.broker import Broker
from wfx.events.retention import Retention
from wfx.filtering import Filters
from wfx.metrics import Batches, Metrics, MetricsEndpoint, MetricSources, metrics_answers
from wfx.note_answer import NoteAnswer
from wfx.plugin.chain import PluginChain
from wfx.plugin.discovery import check_option
from wfx.plugin.middleware import PluginMiddleware
from wfx.plugin.observing import Observing
from wfx.plugin.program import PluginSettings
from wfx.reactions.admission import Admission
from wfx.reactions.fatals import Fatals
from wfx.reactions.figures import RuleFigures
from wfx.reactions.incoming import Incoming
from wfx.reactions.rules import Rules
from wfx.request_context import Side
from wfx.server.limits import HttpLimits, HttpSettings
from wfx.server.proxies import TrustedProxies
from wfx.server.request_line import HEAD_SLACK
from wfx.server.siblings import Siblings
from wfx.service.buckets import Buckets
from wfx.service.bulk import BulkJobs
from wfx.service.counted_steps import counted_steps
from wfx.service.devices import Devices
from wfx.service.guard import Guard
from wfx.service.health import Health
from wfx.service.job_retention import JobRetention, RetentionFigures
from wfx.service.jobs import Jobs
from wfx.service.limits import Limits
from wfx.service.readiness import Readiness
from wfx.service.tasks import Tasks
from wfx.service.workflows import Workflows
from wfx.store.backend_kinds import backend_kind
from wfx.store.buckets import BucketStore
from wfx.store.opening import open_store
from wfx.store.protocol import Store
from wfx.store.redis.buckets import RedisBuckets, RedisTarget
from wfx.store.snapshot import Snapshots
from wfx.store.storage_settings import StorageSettings
from wfx.tasks.retention import TaskRetention

log = logging.getLogger("wfx")


@dataclass(frozen=True, slots=True)
class Monitoring:
    """What tells operators, and programs of theirs, how the service does."""

    metrics: Metrics
    readiness: Readiness
    probes: Mapping[str, Probe]
    """What the northbound side answers at which paths before anybody else does."""
    paths: Sequence[str]
    """Those of metrics and probes: the rate limit passes them, beside those that it exempts by itself."""


@dataclass(frozen=True)
class Composition:
    """The composed service, as far as others than handlers work with it."""

    services: Services
    endpoints: Mapping[Side, Dispatch]
    """Those of a side are shared by all its listeners."""
    limits: HttpLimits
    """For the listeners that serve the apps."""
    tunables: Holder[Tunables]
    running_config: RunningConfig
    """Replaces the tunables, and what others read anew (``running_config.on_reload``)."""
    plugins: Mapping[Side, PluginChain]
    buckets: Buckets
    """Of the rate limit; an address has one for all listeners."""
    monitoring: Monitoring

    def app(self, side: Side, *, loopback: bool) -> ASGIApp:
        """Build the app of a side for a listener; on loopback it checks the host names that browsers use."""
        probes = self.monitoring.probes if side is Side.NORTH else {}
        counts = self.endpoints[side].counts
        rate_limit = Middleware(
            RateLimit,
            side,
            self.tunables,
            self.buckets,
            partial(_note_rate_refusal, self.limits, side, counts.recorder_for(RATE_LIMIT)),
            never_limited=self.monitoring.paths,
        )
        middleware = _middleware(self.tunables, rate_limit, self.plugins[side], probes, counts, loopback=loopback)
        return build_app(side, self.endpoints[side], middleware)


async def compose(
    config: Config, stack: AsyncExitStack, stop: asyncio.Event, siblings: Siblings | None = None
) -> Composition:
    """Build all parts in order; the stack closes them in reverse. A plugin that is lost sets ``stop``.

    ``siblings`` are the other worker processes, if this is one of several.
    Raises StoreUnusable or PluginRefused.
    """
    tunables, batches, lost, kept = Holder(Tunables.of(config)), Batches(), Counter[str](), RetentionFigures()
    tunables.observe(_tune_logs)
    rules = await open_rules(config)
    store = await _open_store(config, batches, stack)
    await _start_retention(store, tunables, lost, kept, stack)
    bucket_stores = _bucket_stores(config, store, stack)
    services = await _open_services(config, tunables, store, Limits(tunables, bucket_stores), rules, stack)
    plugins = await _start_plugins(config, tunables, stack, stop)
    limits = HttpLimits(Derived(tunables, partial(_http_settings, config)))
    running_config = _running_config(config, tunables, rules)
    stack.push_async_callback(rules.close)
    endpoints = {side: Dispatch(side, services) for side in Side}
    readiness = Readiness(services.health, services.incoming.queue)
    snapshots = await stack.enter_async_context(Snapshots(store))
    metrics = Metrics(MetricSources(
        services, store, snapshots, limits, plugins, readiness, [each.counts for each in endpoints.values()],
        batches, lost, kept, dropped_log_records=logs.dropped_records,
    ), tunables)  # fmt: skip
    running = await _running_scripts(services, metrics, siblings, stack)
    sources = DebugSources(running_config, store, snapshots, limits, services, plugins, running)
    endpoints[Side.NORTH].mount(Mount("/debug", Diagnostics(tunables, sources)), Side.NORTH)
    return Composition(
        services=services,
        endpoints=endpoints,
        limits=limits,
        tunables=tunables,
        running_config=running_config,
        plugins=plugins,
        buckets=Buckets(bucket_stores, partial(_store_of_requests, tunables), time.monotonic),
        monitoring=_monitor(config, metrics, siblings, readiness, endpoints[Side.NORTH]),
    )


async def _running_scripts(
    services: Services, metrics: Metrics, siblings: Siblings | None, stack: AsyncExitStack
) -> RunningScripts:
    """Make the list of running scripts, and begin to answer the other workers, if there are any."""
    running = RunningScripts(services.scripts, siblings)
    if siblings is not None:
        stack.callback((await siblings.serve({**metrics_answers(metrics), **running.answers})).close)
    return running


async def _open_store(config: Config, batches: Batches, stack: AsyncExitStack) -> Store:
    log.debug('Setting up persistent storage "%s"', config.storage)
    settings = StorageSettings(
        pooler=config.postgres_pooler,
        listen_dsn=config.postgres_listen_dsn,
        may_lose_commits=config.postgres_may_lose_commits,
        search_connections=config.postgres_search_connections,
        search_timeout=config.postgres_search_timeout,
        sealing=sealing_of(config),
    )
    store = await open_store(config.storage, config.storage_opt, settings, on_batch=batches.note)
    log.info("storage is open", extra={"fields": {"storage": config.storage}})
    stack.push_async_callback(_close_store, store)
    return store


def _running_config(config: Config, tunables: Holder[Tunables], rules: Rules) -> RunningConfig:
    running_config = RunningConfig(config, tunables)
    running_config.on_reload(partial(prepare_rules, rules))
    for option in ("client-plugins-dir", "mgmt-plugins-dir"):
        running_config.check_at_restart(option, partial(check_option, BY_NAME[option]))
    running_config.check_at_restart("storage-opt", _check_storage)
    return running_config


def _check_storage(config: Config) -> None:
    try:
        backend_kind(config.storage).probe(config.storage_opt)
    except (StoreUnusable, OSError, ValueError) as exc:
        raise OptionRefused("storage-opt", str(exc)) from exc


def _monitor(
    config: Config, metrics: Metrics, siblings: Siblings | None, readiness: Readiness, north: Dispatch
) -> Monitoring:
    """Have the northbound side serve metrics, which are behind the plugins unlike probes; return what stands before."""
    if config.metrics_path:
        north.mount(Mount(config.metrics_path, MetricsEndpoint(metrics, siblings)), Side.NORTH)
    probes: dict[str, Probe] = {config.liveness_path: alive, config.readiness_path: partial(ready, readiness)}
    return Monitoring(
        metrics,
        readiness,
        {path: probe for path, probe in probes.items() if path},
        [path for path in (config.metrics_path, *probes) if path],
    )


async def _start_retention(
    store: Store, tunables: Holder[Tunables], lost: Counter[str], kept: RetentionFigures, stack: AsyncExitStack
) -> None:
    await stack.enter_async_context(Retention(store, tunables, lost=lost))
    await stack.enter_async_context(JobRetention(store, tunables, figures=kept))
    await stack.enter_async_context(TaskRetention(store))


def _bucket_stores(config: Config, store: Store, stack: AsyncExitStack) -> Mapping[str, BucketStore]:
    """Return where servers share buckets, by the names that the option has for it."""
    stores: dict[str, BucketStore] = {}
    if store.buckets is not None:
        stores["postgres"] = store.buckets
    if config.redis_host:
        host, port = host_and_port(config.redis_host)
        target = RedisTarget(host, port, config.redis_password, config.redis_tls, config.redis_key_prefix)
        stores["redis"] = redis = RedisBuckets(target)
        stack.push_async_callback(redis.close)
    return stores


def _store_of_requests(tunables: Holder[Tunables]) -> str:
    """Return the name of the store that has the buckets of requests."""
    return "redis" if tunables.current.sandbox_rate_limit_type == "redis" else "postgres"


async def _open_services(
    config: Config, tunables: Holder[Tunables], store: Store, limits: Limits, rules: Rules, stack: AsyncExitStack
) -> Services:
    broker = Broker(store)
    await broker.open()
    stack.push_async_callback(broker.close)
    health = await stack.enter_async_context(Health(store))
    guard = Guard(store, limits, tunables)
    jobs = Jobs(store, guard)
    figures, fatals = RuleFigures(), Fatals()
    scripts = await open_scripts(config, tunables, store, stack)
    admission, counted = Admission(store, limits), counted_steps(store, guard)
    tasks = rule_tasks(config, tunables, counted, rules, limits, admission, scripts, jobs.created, figures)
    services = Services(
        jobs=jobs,
        limits=limits,
        guard=guard,
        bulk=BulkJobs(store, jobs.created, guard),
        workflows=Workflows(store, guard),
        devices=await stack.enter_async_context(Devices(store)),
        health=health,
        broker=broker,
        filters=await stack.enter_async_context(_filters(config, tunables)),
        large_bodies=await stack.enter_async_context(LargeBodies(config.max_body_size)),
        answers=AnswerMemory(),
        downloads=stack.enter_context(Downloads(tunables)),
        max_body=config.max_body_size,
        tunables=tunables,
        rule_store=store,
        incoming=await stack.enter_async_context(Incoming(counted, rules, figures, fatals, admission)),
        tasks=Tasks(store, await stack.enter_async_context(tasks)),
        scripts=scripts,
        rules=rules,
        rule_figures=figures,
        fatals=fatals,
    )
    await stack.enter_async_context(rule_consumer(services, store, admission))
    return services


def _filters(config: Config, tunables: Holder[Tunables]) -> Filters:
    filters = Filters(deadline=config.filter_timeout, memory=config.filter_memory, output=config.filter_output)
    tunables.observe(lambda new: filters.set_limits(new.filter_timeout, new.filter_memory, new.filter_output))
    return filters


async def _close_store(store: Store) -> None:
    await store.close()
    log.info("storage is closed")


def _tune_logs(tunables: Tunables) -> None:
    logs.set_level(tunables.log_level)
    logs.sanitize(tunables)


async def _start_plugins(
    config: Config, tunables: Holder[Tunables], stack: AsyncExitStack, stop: asyncio.Event
) -> dict[Side, PluginChain]:
    """Start the plugins of both sides; when one is lost later, the service stops."""
    max_head = config.max_header_size + HEAD_SLACK
    settings = PluginSettings(config.max_body_size, max_head, reply_timeout=config.plugin_timeout)
    chains: dict[Side, PluginChain] = {}
    for side, directory in ((Side.SOUTH, config.client_plugins_dir), (Side.NORTH, config.mgmt_plugins_dir)):
        chain = await PluginChain.start(Path(directory), settings, stop) if directory else PluginChain(settings, stop)
        stack.push_async_callback(chain.stop)
        chains[side] = chain
    for chain in chains.values():
        tunables.observe(partial(_tune_plugins, chain))
    return chains


def _tune_plugins(chain: PluginChain, tunables: Tunables) -> None:
    chain.set_reply_timeout(tunables.plugin_timeout)


def _note_rate_refusal(limits: HttpLimits, side: Side, note: NoteAnswer, scope: Scope) -> None:
    limits.note_refusal(side, "rate", scope)
    note(scope, 429)


def _middleware(
    tunables: Holder[Tunables],
    rate_limit: Middleware,
    chain: PluginChain,
    probes: Mapping[str, Probe],
    counts: RequestCounts,
    *,
    loopback: bool,
) -> list[Middleware]:
    """List what stands around the app, outermost first."""
    return [
        *([Middleware(Observing, chain)] if chain.observers else []),
        *([Middleware(HostCheck, tunables, counts.recorder_for(HOST_CHECK))] if loopback else []),
        *([Middleware(Probes, probes, counts.recorder_for)] if probes else []),
        Middleware(CrossOriginSharing, tunables, counts.recorder_for(PREFLIGHT)),
        rate_limit,
        *([Middleware(PluginMiddleware, chain, counts.recorder_for(PLUGIN))] if len(chain) else []),
    ]


def _http_settings(config: Config, tunables: Tunables) -> HttpSettings:
    """Translate the options; a time of 0 is no limit. Each worker process has its share of a listener's limits."""
    read_timeout = tunables.read_timeout or math.inf
    return HttpSettings(
        idle_timeout=tunables.cleanup_timeout or read_timeout,
        graceful_timeout=tunables.graceful_timeout,
        read_timeout=read_timeout,
        write_timeout=tunables.write_timeout or math.inf,
        max_head=config.max_header_size,
        keep_alive=tunables.keep_alive,
        max_connections=math.ceil(tunables.max_connections / config.workers),
        max_requests=math.ceil(tunables.max_requests / config.workers),
        max_body=config.max_body_size,
        proxies=TrustedProxies(tunables.trusted_proxy) if tunables.trusted_proxy else None,
    )
