"""Metrics of all worker processes: whichever a scraper reaches asks the others, and marks each sample with its worker.

Samples are not added up here: the counters of a worker that was started again begin anew, which a scraper recognises in
a series of its own and would take in a sum for the counts of everybody.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from wfx.metrics.collector import Metrics
from wfx.server.siblings import Answer, Siblings

if TYPE_CHECKING:  # imported when metrics are first wanted
    from prometheus_client.core import Metric

_QUESTION = "metrics"


class WorkerMetrics(NamedTuple):
    """The metrics of one worker."""

    number: int
    metrics: Sequence[Metric]


def metrics_answers(metrics: Metrics) -> Mapping[str, Answer]:
    """Return how this worker answers others that are scraped."""

    async def answer(_: str) -> Sequence[Any]:
        return _written(await metrics.gather())

    return {_QUESTION: answer}


async def with_siblings(own: Sequence[Metric], siblings: Siblings) -> Sequence[Metric]:
    """Return the metrics of this worker and of those that answer, marked."""
    answers = await siblings.ask(_QUESTION)
    found = [WorkerMetrics(number, _read(written)) for number, written in answers.told.items()]
    return _merged(sorted([WorkerMetrics(siblings.number, own), *found], key=lambda each: each.number))


def _written(metrics: Iterable[Metric]) -> Sequence[Any]:
    return [
        (each.name, each.documentation, each.type, each.unit, [sample[:3] for sample in each.samples])
        for each in metrics
    ]


def _read(written: Iterable[Sequence[Any]]) -> Sequence[Metric]:
    from prometheus_client.core import Metric

    def made(name: str, text: str, kind: str, unit: str, samples: list[Any]) -> Metric:
        metric = Metric(name, text, kind, unit)
        for sample in samples:
            metric.add_sample(*sample)
        return metric

    return [made(*each) for each in written]


def _merged(workers: Iterable[WorkerMetrics]) -> Sequence[Metric]:
    """Put the samples of each metric together; the first worker that has it says what it is."""
    found: dict[str, Metric] = {}
    for number, metrics in workers:
        for each in metrics:
            marked = [one._replace(labels={"worker": str(number), **one.labels}) for one in each.samples]
            known = found.setdefault(each.name, each)
            known.samples = marked if known is each else known.samples + marked
    return list(found.values())
