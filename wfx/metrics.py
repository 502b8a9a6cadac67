"""Metrics of the service: names the counters of its parts, and reads them when they are asked for.

Parts count in plain integers, so counting costs nothing to speak of. prometheus-client, which takes a while to import,
is loaded when the registry is first wanted.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from wfx.events.broker import Broker
from wfx.filtering import Filters
from wfx.server.edge_errors import KINDS
from wfx.server.limits import HttpLimits

if TYPE_CHECKING:  # imported when the registry is first wanted
    from prometheus_client import CollectorRegistry
    from prometheus_client.core import Metric

_SIZES = (1, 2, 4, 8, 16, 32, 64, 128)
_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Histogram:
    """Counts of observed values by their size."""

    def __init__(self, bounds: Sequence[float]) -> None:
        """Count values up to each of these bounds, and beyond."""
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0
        """The sum of the values."""

    def observe(self, value: float) -> None:
        """Count a value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value

    def buckets(self) -> Iterator[tuple[str, float]]:
        """Give each bound, and how many values were at most that."""
        count = 0
        for bound, more in zip((*map(float, self.bounds), "+Inf"), self.counts, strict=True):
            count += more
            yield str(bound), count


class Batches:
    """Batches of changes that were handed to the store."""

    def __init__(self) -> None:
        """Begin with none."""
        self.sizes = Histogram(_SIZES)
        self.seconds = Histogram(_SECONDS)

    def note(self, size: int, seconds: float) -> None:
        """Count one; see :data:`wfx.store.batching.OnBatch`."""
        self.sizes.observe(size)
        self.seconds.observe(seconds)


class Metrics:
    """Where the counters are, and what they are called; a collector of prometheus-client."""

    def __init__(
        self,
        limits: HttpLimits,
        broker: Broker,
        lost_events: Mapping[str, int],
        filters: Filters,
        batches: Batches,
        dropped_log_records: Callable[[], int],
    ) -> None:
        """Read the counters of these parts."""
        self._limits = limits
        self._broker = broker
        self._lost_events = lost_events
        self._filters = filters
        self._batches = batches
        self._dropped_log_records = dropped_log_records

    @cached_property
    def registry(self) -> CollectorRegistry:
        """The registry of these metrics, and of no others."""
        from prometheus_client import CollectorRegistry

        registry = CollectorRegistry(auto_describe=True)
        registry.register(self)
        return registry

    def collect(self) -> Iterator[Metric]:
        """Read all counters. To be called on the event loop: nothing changes meanwhile."""
        yield from self._edge()
        yield _counter(
            "wfx_event_readers_dropped", "Readers of event streams that were given up since they did not read",
            (), {(): self._broker.dropped},
        )  # fmt: skip
        yield _counter(
            "wfx_consumer_events_lost", "Events that were pruned before a consumer of the log had read them",
            ("consumer",), {(name,): count for name, count in self._lost_events.items()},
        )  # fmt: skip
        yield _counter(
            "wfx_filter_kills", "Response filters that were stopped in a worker process, by reason",
            ("reason",), {(reason,): count for reason, count in self._filters.kills.items()},
        )  # fmt: skip
        yield _histogram(
            "wfx_store_batch_size", "Changes that one commit of the store makes durable", self._batches.sizes
        )
        yield _histogram(
            "wfx_store_commit_seconds", "Time from handing a batch to the store to its answer", self._batches.seconds
        )
        yield _counter(
            "wfx_log_records_dropped", "Log records that were dropped since they could not be written",
            (), {(): self._dropped_log_records()},
        )  # fmt: skip

    def _edge(self) -> Iterator[Metric]:
        from prometheus_client.core import GaugeMetricFamily

        listeners = self._limits.listeners
        refusals: dict[tuple[str, ...], int] = {(str(each.side), kind): 0 for each in listeners for kind in KINDS}
        running = {str(each.side): 0 for each in listeners}
        for each in listeners:
            running[str(each.side)] += each.running
            for kind, count in each.refusals.counts.items():
                refusals[str(each.side), kind] += count
        yield _counter(
            "wfx_refusals", "Connections and requests that were refused before they reached the API",
            ("side", "reason"), refusals,
        )  # fmt: skip
        text = "Requests being worked on, event streams apart"
        gauge = GaugeMetricFamily("wfx_running_requests", text, labels=["side"])
        for side, number in running.items():
            gauge.add_metric([side], number)
        yield gauge


def _counter(name: str, text: str, labels: Sequence[str], counts: Mapping[tuple[str, ...], int]) -> Metric:
    """Make a counter, which is shown as ``<name>_total``."""
    from prometheus_client.core import CounterMetricFamily

    family = CounterMetricFamily(name, text, labels=labels)
    for values, count in counts.items():
        family.add_metric(values, count)
    return family


def _histogram(name: str, text: str, histogram: Histogram) -> Metric:
    from prometheus_client.core import HistogramMetricFamily

    family = HistogramMetricFamily(name, text)
    family.add_metric((), list(histogram.buckets()), histogram.total)
    return family
