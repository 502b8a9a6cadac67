"""Metrics under the names of other programs, for dashboards and alerts that have them; made from ours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from wfx.api.routes import HANDLERS
from wfx.metrics.sources import MetricSources, Named, ServiceState

_WRITES = ("POST", "PUT", "DELETE")


def read(sources: MetricSources, state: ServiceState, memory: Mapping[str, float]) -> Named:
    """Read what :data:`wfx.metrics.catalog.COMPATIBLE` lists; ``memory`` has the process's figures by our names."""
    created = sources.services.jobs.created
    yield "nflow_requests", {(): sum(sum(each.answers.values()) for side in sources.requests for _, each in side)}
    yield "nflow_workflows", {(): sum(created.values())}
    yield "nflow_go_memory_alloc_bytes", {(): memory.get("process_resident_memory_bytes", 0)}
    yield "nflow_go_memory_sys_bytes", {(): memory.get("process_virtual_memory_bytes", 0)}
    caches = sources.store.caches()
    yield "nflow_cache_hits", {(): sum(each.hits for each in caches)}
    yield "nflow_cache_misses", {(): sum(each.misses for each in caches)}
    yield "ifttt_events_processed", {(): sources.services.broker.head}
    yield "ifttt_events_dropped", {(): sum(sources.lost_events.values())}
    yield "ifttt_scenarios_matched", {(name,): count for name, count in created.items()}
    yield "ifttt_actions_executed", _actions(sources)
    yield "ifttt_event_processing_duration_ms", {(): sources.batches.seconds}
    queue = sources.store.queue()
    yield "ifttt_queue_utilization_ratio", {(): queue.waiting / queue.room}
    if (store := state.store) is not None:
        active = sum(number for (_, group), number in store.jobs.items() if group == "OPEN")
        yield "nflow_processes_active", {(): active}
        yield "nflow_db_connections_open", {(): store.database.connections}
        yield "ifttt_events_enqueued", {(): store.bounds.head}


def _actions(sources: MetricSources) -> dict[tuple[str, ...], float]:
    """Count what was asked to change something, by operation and outcome."""
    actions = Counter[tuple[str, ...]]()
    for side in sources.requests:
        for (route, method), counts in side:
            if method in _WRITES and route in HANDLERS:
                for status, count in counts.answers.items():
                    actions[route, "success" if status < 400 else "error"] += count
    return dict(actions)
