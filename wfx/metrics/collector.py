"""Collector of the metrics, for prometheus-client."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from wfx.config.tunables import Current, Tunables
from wfx.histogram import Histogram
from wfx.metrics import compat, sources
from wfx.metrics.catalog import CATALOGUE, COMPATIBLE, Family, Kind
from wfx.metrics.sources import MetricSources, ServiceState, Values

if TYPE_CHECKING:  # imported when metrics are first wanted
    from prometheus_client import CollectorRegistry
    from prometheus_client.core import Metric
    from prometheus_client.process_collector import ProcessCollector


class Metrics:
    """Where the counters are, and what they are called; a collector of prometheus-client."""

    def __init__(self, metric_sources: MetricSources, tunables: Current[Tunables]) -> None:
        """Read the counters of these sources."""
        self._sources = metric_sources
        self._tunables = tunables
        self._state = ServiceState()
        self._of_process: Sequence[Metric] = ()
        self._turn = asyncio.Lock()

    @cached_property
    def registry(self) -> CollectorRegistry:
        """The registry of these metrics, and of no others."""
        from prometheus_client import CollectorRegistry

        registry = CollectorRegistry(auto_describe=True)
        registry.register(self)
        return registry

    @cached_property
    def _process(self) -> ProcessCollector:
        from prometheus_client.process_collector import ProcessCollector

        return ProcessCollector(registry=None)

    async def gather(self) -> Sequence[Metric]:
        """Refresh and collect, for one at a time: collecting occupies the event loop, and others run in between."""
        async with self._turn:
            await self.refresh()
            return list(self.collect())

    async def refresh(self) -> None:
        """Gather what cannot be told without waiting, for the next collection."""
        self._state = await sources.ask(self._sources)
        self._of_process = await asyncio.to_thread(self._ask_process)

    def _ask_process(self) -> Sequence[Metric]:
        """Ask the system about this process: it lists all open files, which takes long where there are many."""
        return list(self._process.collect())

    def collect(self) -> Iterator[Metric]:
        """Read all counters. To be called on the event loop: nothing changes meanwhile."""
        for name, values in sources.read(self._sources, self._state):
            yield _metric(CATALOGUE[name], values)
        yield from self._of_process
        if self._tunables.current.metrics_compat:
            memory = {metric.name: metric.samples[0].value for metric in self._of_process if metric.samples}
            for name, values in compat.read(self._sources, self._state, memory):
                yield _metric(COMPATIBLE[name], values)


def _metric(family: Family, values: Values) -> Metric:
    from prometheus_client import core

    makers: dict[Kind, Callable[..., Metric]] = {
        Kind.COUNTER: core.CounterMetricFamily,
        Kind.GAUGE: core.GaugeMetricFamily,
        Kind.HISTOGRAM: core.HistogramMetricFamily,
        Kind.INFO: core.InfoMetricFamily,
        Kind.UNKNOWN: core.UnknownMetricFamily,
    }
    made = makers[family.kind](family.name, family.text, labels=family.labels)
    for labels, value in values.items():
        pairs = dict(zip(family.labels, labels, strict=True))
        if isinstance(value, Histogram):
            _add_histogram(made, pairs, value, family.scale)
        else:
            made.add_sample(family.shown, pairs, float(value))
    return made


def _add_histogram(metric: Metric, labels: dict[str, str], histogram: Histogram, scale: float) -> None:
    buckets = list(histogram.buckets(scale))
    for bound, count in buckets:
        metric.add_sample(f"{metric.name}_bucket", {**labels, "le": bound}, count)
    metric.add_sample(f"{metric.name}_count", labels, buckets[-1][1])
    metric.add_sample(f"{metric.name}_sum", labels, histogram.total * scale)
