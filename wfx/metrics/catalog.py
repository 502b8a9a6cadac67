"""Catalogue of the metrics: names, kinds, labels and texts, from which the answers and the documentation are made."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What is done with a metric's values."""

    COUNTER = "counter"
    """Shown as ``NAME_total``; only ever rises."""
    GAUGE = "gauge"
    HISTOGRAM = "histogram"
    """Shown as ``NAME_bucket``, ``NAME_sum`` and ``NAME_count``."""
    INFO = "info"
    """Shown as ``NAME_info``, always 1: the labels tell."""
    UNKNOWN = "unknown"
    """Shown under its own name, whatever that is."""


@dataclass(frozen=True, slots=True)
class Family:
    """One metric."""

    name: str
    kind: Kind
    text: str
    labels: tuple[str, ...] = ()
    ours: str = ""
    """Where another program's name is served: the query that gives the same from ours; the sum of a histogram."""

    scale: float = 1
    """What values are multiplied by, where the unit is not the one that they are counted in."""

    @property
    def shown(self) -> str:
        """The name as queries have it; of a histogram without its endings."""
        return self.name + {Kind.COUNTER: "_total", Kind.INFO: "_info"}.get(self.kind, "")


_OWN = (
    Family("wfx_http_requests", Kind.COUNTER,
           "Requests, by the status of their answers; 499 where the client left before its answer began",
           ("side", "route", "method", "status")),
    Family("wfx_http_request_duration_seconds", Kind.HISTOGRAM,
           "Time from the end of a request's header to the beginning of its answer", ("side", "route", "method")),
    Family("wfx_http_requests_in_flight", Kind.GAUGE, "Requests being worked on, event streams apart", ("side",)),
    Family("wfx_refusals", Kind.COUNTER, "Connections and requests that were refused before they reached the API",
           ("side", "reason")),
    Family("wfx_jobs", Kind.GAUGE, "Jobs by workflow and group; group is empty for states that are in none",
           ("workflow", "group")),
    Family("wfx_jobs_created", Kind.COUNTER, "Jobs that requests have created since the start", ("workflow",)),
    Family("wfx_jobs_removed", Kind.COUNTER, "Finished jobs that this server has deleted for their age since its start",
           ("group",)),
    Family("wfx_tombstones", Kind.GAUGE, "Deleted jobs of which their devices are told that they have ended"),
    Family("wfx_job_retention_last_turn_timestamp_seconds", Kind.GAUGE,
           "When this server last was done looking for jobs and tombstones that are too old, in seconds since 1970"),
    Family("wfx_store_up", Kind.GAUGE, "1 while the store answers"),
    Family("wfx_ready", Kind.GAUGE, "1 while the service can serve, as the readiness probe tells"),
    Family("wfx_store_batch_size", Kind.HISTOGRAM, "Changes that one commit of the store makes durable"),
    Family("wfx_store_commit_duration_seconds", Kind.HISTOGRAM, "Time from handing a batch to the store to its answer"),
    Family("wfx_store_write_queue_length", Kind.GAUGE, "Changes that wait for their commit"),
    Family("wfx_store_write_queue_capacity", Kind.GAUGE, "Changes that may wait; more are refused"),
    Family("wfx_store_connections", Kind.GAUGE, "Open connections to the database"),
    Family("wfx_store_bytes", Kind.GAUGE, "Bytes that the database takes, by file: database, wal", ("file",)),
    Family("wfx_cache_entries", Kind.GAUGE, "Entries of the store's caches", ("cache",)),
    Family("wfx_cache_hits", Kind.COUNTER, "Look-ups in the store's caches that found what was wanted", ("cache",)),
    Family("wfx_cache_misses", Kind.COUNTER, "Look-ups in the store's caches that did not", ("cache",)),
    Family("wfx_log_head", Kind.GAUGE, "Number of the newest event on the log; events are numbered from 1"),
    Family("wfx_log_oldest", Kind.GAUGE, "Number of the oldest event that is kept; head + 1 if none is"),
    Family("wfx_consumer_position", Kind.GAUGE, "Number of the newest event that a consumer of the log is done with",
           ("consumer",)),
    Family("wfx_consumer_lag_events", Kind.GAUGE, "Events that a consumer of the log is behind", ("consumer",)),
    Family("wfx_consumer_events_lost", Kind.COUNTER,
           "Events that were pruned before a consumer of the log had read them", ("consumer",)),
    Family("wfx_limits_taken", Kind.COUNTER, "Tokens of limits that were taken, by what begins and whose limit it is",
           ("kind", "scope")),
    Family("wfx_limits_refused", Kind.COUNTER,
           "How often there was no token for what was to begin, by the limit that takes longest", ("kind", "scope")),
    Family("wfx_limits_changes_refused", Kind.COUNTER,
           "Changes of jobs that were refused: repetitions of a state, or the time that a change may take (duration)",
           ("reason",)),
    Family("wfx_event_subscribers", Kind.GAUGE, "Subscribers of event streams"),
    Family("wfx_event_subscriber_lag_events", Kind.GAUGE, "Lag of the slowest subscriber, in events"),
    Family("wfx_event_subscribers_dropped", Kind.COUNTER,
           "Subscribers of event streams that were dropped since they did not read"),
    Family("wfx_rules_events", Kind.COUNTER,
           "Events from outside: evaluated, refused since the queue was full, timed_out, or failed", ("outcome",)),
    Family("wfx_rules_event_queue_length", Kind.GAUGE, "Events from outside that wait or are evaluated"),
    Family("wfx_rules_event_queue_capacity", Kind.GAUGE, "Events from outside that may; more are refused"),
    Family("wfx_tasks_open", Kind.GAUGE, "Tasks that wait or are being done, on all servers", ("kind",)),
    Family("wfx_task_attempts", Kind.COUNTER, "Attempts at tasks that have come to an end", ("kind",)),
    Family("wfx_tasks_done", Kind.COUNTER, "Tasks that were done", ("kind",)),
    Family("wfx_tasks_failed", Kind.COUNTER, "Tasks that have failed and are not tried any more", ("kind",)),
    Family("wfx_task_duration_seconds", Kind.HISTOGRAM, "Time that an attempt at a task takes", ("kind",)),
    Family("wfx_steps_running", Kind.GAUGE, "Runs of steps of packages that have not ended, also those that hang",
           ("step",)),
    Family("wfx_steps_hanging", Kind.GAUGE,
           "Runs of steps of packages that have not ended in their time, and that nobody waits for", ("step",)),
    Family("wfx_rules_scenarios", Kind.GAUGE, "Scenarios of the rules that are loaded, without disabled ones"),
    Family("wfx_rules_reloads", Kind.COUNTER,
           "How often rules were read while the service ran, by result: loaded, unchanged, refused", ("result",)),
    Family("wfx_rules_events_evaluated", Kind.COUNTER, "Events that there are rules for, by type", ("type",)),
    Family("wfx_rules_scenarios_matched", Kind.COUNTER, "Events for which an action of a scenario was reached",
           ("scenario",)),
    Family("wfx_rules_actions", Kind.COUNTER,
           "Actions of rules, by result: done, queued, invalid, not_found, refused, limited, failed",
           ("type", "result")),
    Family("wfx_rules_conditions_failed", Kind.COUNTER, "Conditions of rules that had no value for an event"),
    Family("wfx_repetition_limit", Kind.COUNTER,
           "Actions of rules that were refused since they had been taken too often in one chain of events"),
    Family("wfx_rules_fatal_errors", Kind.COUNTER, "Failures that stopped the work on events for a while"),
    Family("wfx_scripts_runs", Kind.COUNTER,
           "Runs of scripts, by how they ended: done, syntax, error, result, time, memory, operations, stack, output, "
           "busy, ended, failed", ("outcome",)),
    Family("wfx_scripts_duration_seconds", Kind.HISTOGRAM, "Time of a run of a script in its worker process"),
    Family("wfx_scripts_wait_seconds", Kind.HISTOGRAM, "Time that a run of a script waited for a worker process"),
    Family("wfx_scripts_operations", Kind.COUNTER, "Operations that scripts took, counted in steps of 10,000"),
    Family("wfx_scripts_waiting", Kind.GAUGE, "Runs of scripts that wait for a worker process"),
    Family("wfx_scripts_pool_size", Kind.GAUGE, "Worker processes that run scripts, at most"),
    Family("wfx_scripts_pool_busy", Kind.GAUGE, "Worker processes of scripts that work"),
    Family("wfx_scripts_workers_replaced", Kind.COUNTER,
           "Worker processes of scripts that ended, in whose place others start"),
    Family("wfx_scripts_cache_entries", Kind.GAUGE, "Compiled scripts that are kept in memory"),
    Family("wfx_scripts_cache_hits", Kind.COUNTER, "Runs and checks whose script was compiled already"),
    Family("wfx_scripts_cache_misses", Kind.COUNTER, "Runs and checks whose script had to be compiled"),
    Family("wfx_filter_kills", Kind.COUNTER, "Response filters that were stopped in a worker process, by reason",
           ("reason",)),
    Family("wfx_plugin_decision_duration_seconds", Kind.HISTOGRAM,
           "Time that a plugin takes for its decision on a request", ("side", "plugin")),
    Family("wfx_plugin_undecided", Kind.COUNTER, "Requests that were refused since a plugin did not decide",
           ("side", "plugin")),
    Family("wfx_plugin_observations", Kind.COUNTER, "Answers that a plugin was told of that observes",
           ("side", "plugin")),
    Family("wfx_plugin_observations_dropped", Kind.COUNTER,
           "Answers that a plugin was not told of, since it did not read fast enough", ("side", "plugin")),
    Family("wfx_worker_processes", Kind.GAUGE,
           "Worker processes that run: for response filters, for large bodies; not those of --workers", ("kind",)),
    Family("wfx_log_records_dropped", Kind.COUNTER, "Log records that were dropped since they could not be written"),
    Family("wfx_build", Kind.INFO, "The version that runs", ("version", "commit")),
)  # fmt: skip
_COMPATIBLE = (
    Family("nflow_requests", Kind.COUNTER, "Total HTTP requests", ours="sum(wfx_http_requests_total)"),
    Family("nflow_workflows", Kind.COUNTER, "Total workflows executed", ours="sum(wfx_jobs_created_total)"),
    Family("nflow_processes_active", Kind.GAUGE, "Active processes", ours='sum(wfx_jobs{group="OPEN"})'),
    Family("nflow_db_connections_open", Kind.GAUGE, "Open database connections", ours="wfx_store_connections"),
    Family("nflow_go_memory_alloc_bytes", Kind.GAUGE, "Memory in use", ours="process_resident_memory_bytes"),
    Family("nflow_go_memory_sys_bytes", Kind.GAUGE, "Memory reserved", ours="process_virtual_memory_bytes"),
    Family("nflow_cache_hits", Kind.UNKNOWN, "Cache hits", ours="sum(wfx_cache_hits_total)"),
    Family("nflow_cache_misses", Kind.UNKNOWN, "Cache misses", ours="sum(wfx_cache_misses_total)"),
    Family("ifttt_events_enqueued", Kind.COUNTER, "Events put on the log", ours="wfx_log_head"),
    Family("ifttt_events_processed", Kind.COUNTER, "Events taken from the log and offered to its readers",
           ours="wfx_log_head"),
    Family("ifttt_events_dropped", Kind.COUNTER, "Events that a consumer lost",
           ours="sum(wfx_consumer_events_lost_total)"),
    Family("ifttt_scenarios_matched", Kind.COUNTER, "Jobs created, by workflow", ("scenario_id",),
           ours='label_replace(wfx_jobs_created_total, "scenario_id", "$1", "workflow", "(.*)")'),
    Family("ifttt_actions_executed", Kind.COUNTER, "Requests that change something, by operation and outcome",
           ("action_type", "status"),
           ours='sum by (route, status) (wfx_http_requests_total{method=~"POST|PUT|DELETE"})'),
    Family("ifttt_event_processing_duration_ms", Kind.HISTOGRAM, "Time of commits, in milliseconds",
           ours="1000 * wfx_store_commit_duration_seconds_sum", scale=1000),
    Family("ifttt_queue_utilization_ratio", Kind.GAUGE, "Part of the room for waiting changes that is taken",
           ours="wfx_store_write_queue_length / wfx_store_write_queue_capacity"),
)  # fmt: skip
CATALOGUE = {family.name: family for family in _OWN}
"""All metrics of ours by name, but for those of the process, which prometheus-client makes."""
COMPATIBLE = {family.name: family for family in _COMPATIBLE}
"""Names of other programs, which the option ``metrics-compat`` serves too."""
