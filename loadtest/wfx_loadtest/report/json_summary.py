"""``metrics.json``: the figures for programs, by the names of Vegeta's JSON report; durations in nanoseconds."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import orjson

from wfx_loadtest.duration import MICROSECOND
from wfx_loadtest.facts import PERCENTILES, Fact
from wfx_loadtest.metrics import Metrics
from wfx_loadtest.result import Result
from wfx_loadtest.thresholds import Verdict


def render(result: Result) -> str:
    """Return the document, indented."""
    metrics = result.metrics
    document = {
        "latencies": _latencies(metrics),
        "bytes_in": {"total": metrics.bytes_in, "mean": _per_request(metrics.bytes_in, metrics)},
        "bytes_out": {"total": metrics.bytes_out, "mean": _per_request(metrics.bytes_out, metrics)},
        "earliest": result.when,
        "latest": _after(result.when, metrics.attack),
        "end": _after(result.when, metrics.attack + metrics.wait),
        "duration": metrics.attack,
        "wait": metrics.wait,
        "requests": metrics.requests,
        "rate": metrics.rate,
        "throughput": metrics.throughput,
        "success": metrics.success,
        "status_codes": {str(code): count for code, count in sorted(metrics.codes.items())},
        "errors": list(metrics.errors),
        "options": result.settings.named,
        "interrupted": result.interrupted,
        "late": metrics.lateness.late,
        "scenario": [_fact(fact) for fact in result.facts],
        "thresholds": [_threshold(verdict) for verdict in result.verdicts],
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()


def _latencies(metrics: Metrics) -> dict[str, int]:
    latencies = metrics.latencies
    percentiles = {f"{percent}th": latencies.percentile(percent) for percent in PERCENTILES}
    return {"mean": latencies.mean, **percentiles, "max": latencies.max, "min": latencies.min}


def _per_request(total: int, metrics: Metrics) -> float:
    return total / metrics.requests if metrics.requests else 0.0


def _after(start: datetime, nanoseconds: int) -> datetime:
    return start + timedelta(microseconds=nanoseconds // MICROSECOND)


def _fact(fact: Fact) -> dict[str, Any]:
    values = fact.durations or [int(value) if value.isdecimal() else value for value in fact.values]
    return {"title": fact.title, **dict(zip(fact.members, values, strict=True))}


def _threshold(verdict: Verdict) -> dict[str, Any]:
    threshold = verdict.threshold
    return {
        "name": threshold.name,
        "fail": "below" if threshold.floor else "above",
        "limit": threshold.limit,
        "value": verdict.value,
        "passed": verdict.passed,
    }
