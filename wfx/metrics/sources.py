"""Sources of the metrics: reads the counters of all parts, and asks the store what only it knows."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from wfx.api.request_counts import RequestCounts
from wfx.api.services import Services
from wfx.domain.errors import StoreError
from wfx.histogram import Histogram
from wfx.metrics.batches import Batches
from wfx.plugin.chain import PluginChain
from wfx.request_context import Side
from wfx.scripts.figures import ScriptFigures
from wfx.server.edge_errors import KINDS
from wfx.server.limits import HttpLimits
from wfx.service.bounded_counts import MOST, OTHER
from wfx.service.job_retention import RetentionFigures
from wfx.service.readiness import Readiness
from wfx.service.scripts import Scripts
from wfx.store.figures import JobCounts
from wfx.store.protocol import Store
from wfx.store.snapshot import Snapshots, StoreSnapshot
from wfx.version import COMMIT, VERSION

Values = Mapping[tuple[str, ...], float | Histogram]
"""By the values of the labels."""
Named = Iterator[tuple[str, Values]]
"""Values by the name of the family."""

_LONGEST = 64
"""Characters of a label: names of groups may have any number."""
_MOST_GROUPS = 100
"""Groups that are told apart where workflows are not."""
_KEPT_GROUPS = frozenset({"", "OPEN", "CLOSED", "FAILED"})
"""Groups that are told apart in any case: those of the workflows that come with wfx, and none."""


@dataclass(frozen=True, slots=True)
class MetricSources:
    """Where the counters are."""

    services: Services
    store: Store
    snapshots: Snapshots
    limits: HttpLimits
    plugins: Mapping[Side, PluginChain]
    readiness: Readiness
    requests: Sequence[RequestCounts]
    batches: Batches
    lost_events: Mapping[str, int]
    """By consumer."""
    retention: RetentionFigures
    dropped_log_records: Callable[[], int]


@dataclass(frozen=True, slots=True)
class ServiceState:
    """What cannot be told without waiting."""

    up: bool = False
    ready: bool = False
    store: StoreSnapshot | None = None
    """None if the store does not answer."""


async def ask(sources: MetricSources) -> ServiceState:
    """Gather them, without waiting long: those of the store may be those of a moment ago, or not be there."""
    reason, report, snapshot = await asyncio.gather(
        sources.readiness.not_ready_reason(), sources.services.health.report(), _known(sources.snapshots)
    )
    return ServiceState(report.up, not reason, snapshot)


async def _known(snapshots: Snapshots) -> StoreSnapshot | None:
    try:
        return await snapshots.known()
    except StoreError:
        return None


def _bounded(counts: JobCounts) -> Mapping[tuple[str, ...], int]:
    """Return the counts with labels of bounded number and length: the smallest numbers are added up, by group."""
    ordered = sorted(counts.items(), key=lambda item: -item[1])
    bounded = Counter[tuple[str, ...]]()
    for (workflow, group), number in ordered[:MOST]:
        bounded[workflow, group[:_LONGEST]] += number
    rest = Counter[str]()
    for (_, group), number in ordered[MOST:]:
        rest[group[:_LONGEST]] += number
    kept = {*_KEPT_GROUPS, *(group for group, _ in rest.most_common(_MOST_GROUPS))}
    for group, number in rest.items():
        bounded[OTHER, group if group in kept else OTHER] += number
    return bounded


def read(sources: MetricSources, state: ServiceState) -> Named:
    """Read all counters. To be called on the event loop: nothing changes meanwhile."""
    yield from _requests(sources)
    yield from _jobs_and_store(sources, state)
    yield from _events(sources, state.store)
    yield from _rules(sources.services)
    yield from _events_from_outside(sources)
    yield from _limits(sources.services)
    yield from _tasks(sources, state.store)
    yield from _scripts(sources.services.scripts)
    yield "wfx_filter_kills", {(reason,): count for reason, count in sources.services.filters.kills.items()}
    plugins = [(str(side), each) for side, chain in sources.plugins.items() for each in chain.plugins]
    yield "wfx_plugin_decision_duration_seconds", {(side, each.name): each.seconds for side, each in plugins}
    yield "wfx_plugin_undecided", {(side, each.name): each.undecided for side, each in plugins}
    observers = [(str(side), each) for side, chain in sources.plugins.items() for each in chain.observers]
    yield "wfx_plugin_observations", {(side, each.name): each.told for side, each in observers}
    yield "wfx_plugin_observations_dropped", {(side, each.name): each.dropped for side, each in observers}
    workers = sources.services.worker_processes
    yield "wfx_worker_processes", {(kind,): len(found) for kind, found in workers.items()}
    yield "wfx_log_records_dropped", {(): sources.dropped_log_records()}
    yield "wfx_build", {(VERSION, COMMIT): 1}


def _limits(services: Services) -> Named:
    yield "wfx_limits_taken", {(kind, scope): count for (kind, scope), count in services.limits.taken.items()}
    yield "wfx_limits_refused", {(kind, scope): count for (kind, scope), count in services.limits.refused.items()}
    yield "wfx_limits_changes_refused", {(reason,): count for reason, count in services.guard.refusals.items()}


def _requests(sources: MetricSources) -> Named:
    answers: dict[tuple[str, ...], float] = {}
    seconds: dict[tuple[str, ...], Histogram] = {}
    for side in sources.requests:
        for (route, method), counts in side:
            for status, count in counts.answers.items():
                answers[str(side.side), route, method, str(status)] = count
            if any(counts.seconds.counts):
                seconds[str(side.side), route, method] = counts.seconds
    yield "wfx_http_requests", answers
    yield "wfx_http_request_duration_seconds", seconds
    listeners = sources.limits.listeners
    running = Counter[tuple[str, ...]]()
    refusals: dict[tuple[str, ...], int] = {(str(each.side), kind): 0 for each in listeners for kind in KINDS}
    for each in listeners:
        running[str(each.side),] += each.running
        for kind, count in each.refusals.counts.items():
            refusals[str(each.side), kind] += count
    for where, by_app in sources.limits.app_refusals.items():
        for kind, count in by_app.counts.items():
            refusals[str(where), kind] += count
    yield "wfx_http_requests_in_flight", running
    yield "wfx_refusals", refusals


def _jobs_and_store(sources: MetricSources, state: ServiceState) -> Named:
    yield "wfx_jobs_created", {(name,): count for name, count in sources.services.jobs.created.items()}
    removed = Counter[tuple[str, ...]]()
    for group, count in sources.retention.removed.items():
        removed[group[:_LONGEST],] += count
    yield "wfx_jobs_removed", removed
    if sources.retention.ended:
        yield "wfx_job_retention_last_turn_timestamp_seconds", {(): sources.retention.ended}
    yield "wfx_store_up", {(): state.up}
    yield "wfx_ready", {(): state.ready}
    yield "wfx_store_batch_size", {(): sources.batches.sizes}
    yield "wfx_store_commit_duration_seconds", {(): sources.batches.seconds}
    queue, caches = sources.store.queue(), sources.store.caches()
    yield "wfx_store_write_queue_length", {(): queue.waiting}
    yield "wfx_store_write_queue_capacity", {(): queue.room}
    yield "wfx_cache_entries", {(each.name,): each.entries for each in caches}
    yield "wfx_cache_hits", {(each.name,): each.hits for each in caches}
    yield "wfx_cache_misses", {(each.name,): each.misses for each in caches}
    if state.store is not None:
        yield "wfx_jobs", _bounded(state.store.jobs)
        yield "wfx_tombstones", {(): state.store.database.tombstones}
        yield "wfx_store_connections", {(): state.store.database.connections}
        yield "wfx_store_bytes", {(name,): size for name, size in state.store.database.bytes.items()}


def _events_from_outside(sources: MetricSources) -> Named:
    incoming = sources.services.incoming
    yield "wfx_rules_events", {(outcome,): count for outcome, count in incoming.outcomes.items()}
    yield "wfx_rules_event_queue_length", {(): len(incoming.queue)}
    yield "wfx_rules_event_queue_capacity", {(): incoming.queue.capacity}


def _tasks(sources: MetricSources, store: StoreSnapshot | None) -> Named:
    counts = sources.services.tasks.counts
    if store is not None:
        waiting = {**dict.fromkeys(counts.attempts, 0), **store.open_tasks}
        yield "wfx_tasks_open", {(kind[:_LONGEST],): count for kind, count in waiting.items()}
    yield "wfx_task_attempts", {(kind,): count for kind, count in counts.attempts.items()}
    yield "wfx_tasks_done", {(kind,): count for kind, count in counts.done.items()}
    yield "wfx_tasks_failed", {(kind,): count for kind, count in counts.failed.items()}
    yield "wfx_steps_running", {(name[:_LONGEST],): count for name, count in counts.steps_running.items()}
    yield "wfx_steps_hanging", {(name[:_LONGEST],): count for name, count in counts.steps_hanging.items()}
    yield "wfx_task_duration_seconds", {(kind,): histogram for kind, histogram in counts.seconds.items()}


def _scripts(scripts: Scripts) -> Named:
    """Read the figures of scripts; where these are not enabled the families have no values."""
    figures, pool = scripts.figures or ScriptFigures(), scripts.pool_figures
    is_on = scripts.figures is not None
    yield "wfx_scripts_runs", {(outcome,): count for outcome, count in figures.outcomes.items() if is_on}
    single: dict[str, float | Histogram] = {
        "wfx_scripts_duration_seconds": figures.seconds,
        "wfx_scripts_wait_seconds": figures.waited,
        "wfx_scripts_operations": figures.operations,
        "wfx_scripts_waiting": pool.waiting,
        "wfx_scripts_pool_size": pool.size,
        "wfx_scripts_pool_busy": pool.busy,
        "wfx_scripts_workers_replaced": pool.replaced,
        "wfx_scripts_cache_entries": pool.compiled,
        "wfx_scripts_cache_hits": figures.hits,
        "wfx_scripts_cache_misses": figures.misses,
    }
    for name, value in single.items():
        yield name, {(): value} if is_on else {}


def _rules(services: Services) -> Named:
    rules, figures = services.rules, services.rule_figures
    enabled = () if rules.graph is None else [one for one in rules.graph.scenarios if one.enabled]
    yield "wfx_rules_scenarios", {(): len(enabled)}
    yield "wfx_rules_reloads", {(result,): count for result, count in rules.reloads.items()}
    yield "wfx_rules_events_evaluated", {(name[:_LONGEST],): count for name, count in figures.events.items()}
    yield "wfx_rules_scenarios_matched", {(name,): count for name, count in figures.matched.items()}
    yield "wfx_rules_actions", {(kind, result): count for (kind, result), count in figures.actions.items()}
    yield "wfx_rules_conditions_failed", {(): figures.failed_conditions}
    yield "wfx_repetition_limit", {(): figures.limited}
    yield "wfx_rules_fatal_errors", {(): services.fatals.count}


def _events(sources: MetricSources, store: StoreSnapshot | None) -> Named:
    yield "wfx_event_subscribers", {(): sources.services.broker.subscribers}
    yield "wfx_event_subscriber_lag_events", {(): sources.services.broker.worst_lag}
    yield "wfx_event_subscribers_dropped", {(): sources.services.broker.dropped}
    yield "wfx_consumer_events_lost", {(name,): count for name, count in sources.lost_events.items()}
    if store is not None:
        yield "wfx_log_head", {(): store.bounds.head}
        yield "wfx_log_oldest", {(): store.bounds.oldest}
        yield "wfx_consumer_position", {(each.name,): each.position for each in store.consumers}
        yield "wfx_consumer_lag_events", {(each.name,): store.lag(each) for each in store.consumers}
