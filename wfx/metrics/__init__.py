"""Metrics of the service: gives the counters of its parts names, and serves them.

Parts count in plain integers; samples are made of them when somebody scrapes. prometheus-client, which takes a while to
import, is loaded when metrics are first wanted.
"""

from wfx.metrics.batches import Batches
from wfx.metrics.collector import Metrics
from wfx.metrics.endpoint import MetricsEndpoint
from wfx.metrics.sources import MetricSources
from wfx.metrics.workers import metrics_answers

__all__ = ["Batches", "MetricSources", "Metrics", "MetricsEndpoint", "metrics_answers"]
