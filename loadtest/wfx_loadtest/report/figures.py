"""What the plots show, as plain numbers: seconds since the start, milliseconds of latency."""

from __future__ import annotations

from dataclasses import dataclass

from wfx.version import VERSION
from wfx_loadtest.duration import MILLISECOND, SECOND, in_one_unit, rounded
from wfx_loadtest.facts import Fact
from wfx_loadtest.metrics import Metrics
from wfx_loadtest.report import hdr, text
from wfx_loadtest.result import Result
from wfx_loadtest.thresholds import Verdict
from wfx_loadtest.timeline import DELIVERIES, Slot

_LOG_FROM = 5
"""With a slowest request of more than so many medians, a linear scale shows nothing but that one."""
NOTHING = "no requests"


@dataclass(frozen=True, slots=True)
class Stretch:
    """The requests of one series in one stretch of time."""

    start: float
    count: int
    p50: float
    p99: float
    worst: float


@dataclass(frozen=True, slots=True)
class Series:
    """One series of the plot."""

    name: str
    failed: bool
    deliveries: bool
    """Whether these are events that arrived, and no requests."""
    points: list[tuple[float, float]]
    """(seconds, milliseconds) of single requests; thinned out when there were too many."""
    stretches: list[Stretch]


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything on the page."""

    subtitle: str
    when: str
    about: list[tuple[str, str]]
    """What was tested by what, and how well that kept its schedule."""
    notices: list[str]
    """What a reader must know before trusting the figures; usually none."""
    verdicts: list[Verdict]
    tiles: list[tuple[str, str]]
    facts: list[Fact]
    errors: list[tuple[str, int]]
    span: float
    """Seconds the plot reaches over."""
    planned: float
    """Seconds that requests were to be sent for; afterwards devices finish their jobs."""
    step: float
    """Seconds of a stretch."""
    log: bool
    """Whether the scale of latencies should be logarithmic."""
    series: list[Series]
    percentiles: list[tuple[float, float]]
    """(1/(1-share), milliseconds), share below 1."""


def collect(result: Result) -> Figures:
    """Gather what the plots show of a run."""
    metrics = result.metrics
    series = [_series(name, failed, slots) for name, failed, slots in metrics.timeline.series()]
    rows = zip(hdr.SHARES, metrics.latencies.at(hdr.SHARES), strict=True)
    return Figures(
        subtitle=result.settings.sentence,
        when=f"{result.when:%Y-%m-%d %H:%M:%S} UTC",
        about=_about(result),
        notices=_notices(result),
        verdicts=result.verdicts,
        tiles=_tiles(metrics),
        facts=[*_codes(metrics), *result.facts],
        errors=metrics.errors.most_common(),
        span=max(metrics.attack, SECOND) / SECOND,
        planned=result.settings.duration / SECOND,
        step=metrics.timeline.width / SECOND,
        log=metrics.latencies.max > _LOG_FROM * metrics.latencies.percentile(50),
        series=series,
        percentiles=[
            (1 / (1 - share), value / MILLISECOND)
            for share, (value, count) in rows
            if share < 1 and (1 - share) * metrics.requests >= 1
        ],
    )


def _series(name: str, failed: bool, slots: list[Slot]) -> Series:
    return Series(
        name=f"{name}: {'ERROR' if failed else 'OK'}",
        failed=failed,
        deliveries=name == DELIVERIES,
        points=[(point.offset / SECOND, point.latency / MILLISECOND) for slot in slots for point in slot.points],
        stretches=[
            Stretch(
                slot.start / SECOND,
                slot.count,
                slot.p50 / MILLISECOND,
                slot.p99 / MILLISECOND,
                slot.worst / MILLISECOND,
            )
            for slot in slots
        ],
    )


def _notices(result: Result) -> list[str]:
    metrics = result.metrics
    notices = []
    if result.interrupted:
        notices.append(f"The run was interrupted after {rounded(metrics.attack + metrics.wait)}.")
    if not metrics.requests:
        notices.append(f"{NOTHING.capitalize()} were made.")
    elif result.settings.target is not None:
        held = "none" not in (fact.values[0] for fact in result.facts)
        which = "the highest rate that held" if held else "the first rate that was tried, since none held"
        notices.append(f"Figures and charts are those of {which}: {metrics.rate:,.0f} requests/s.")
    late = text.lateness(metrics)
    return [*notices, late[:1].upper() + late[1:]] if late else notices


def _codes(metrics: Metrics) -> list[Fact]:
    codes = sorted(metrics.codes.items())
    if not codes:
        return []
    names = tuple(str(code) if code else "no answer" for code, _ in codes)
    return [Fact("Status codes", names, tuple(str(count) for _, count in codes))]


def _about(result: Result) -> list[tuple[str, str]]:
    south, north = result.settings.targets
    return [
        ("southbound", south),
        ("northbound", north),
        ("service", f"wfx {result.service}" if result.service else "version unknown"),
        ("generator", f"wfx-loadtest {VERSION}: {text.punctuality(result.metrics)}"),
    ]


def _tiles(metrics: Metrics) -> list[tuple[str, str]]:
    if not metrics.requests:
        return [("requests", "0")]
    latencies = metrics.latencies
    shown = in_one_unit([*(latencies.percentile(percent) for percent in (50, 90, 99)), latencies.max])
    return [
        ("requests", f"{metrics.requests:,}"),
        ("rate", f"{metrics.rate:,.1f}/s"),
        ("success", text.success(metrics)),
        ("errors", f"{metrics.failures:,}"),
        *zip(("p50", "p90", "p99", "max"), shown, strict=True),
    ]
