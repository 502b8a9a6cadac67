"""``plot.svg``: latency over time as a picture, for documents and mails; follows the reader's light or dark setting."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from html import escape

from wfx_loadtest.duration import MILLISECOND, in_one_unit
from wfx_loadtest.report.figures import NOTHING, Figures, Series

_WIDTH = 1200
_LEFT, _RIGHT, _TOP, _BOTTOM = 80, 1176, 124, 464
STYLE = """
text { font: 14px system-ui, "Segoe UI", "Liberation Sans", "DejaVu Sans", sans-serif; fill: #5b6878; }
.ground { fill: #ffffff; } .title { font-size: 22px; font-weight: 600; fill: #16202c; } .grid { stroke: #e6eaee; }
.small { font-size: 12px; } .end { text-anchor: end; } .middle { text-anchor: middle; } .notice { fill: #9a5b00; }
path { fill: none; stroke-linecap: round; stroke-linejoin: round; }
.dots { stroke-width: 3.6; stroke-opacity: .5; } .crosses { stroke-width: 1.6; } .p99 { stroke-width: 2; }
.halo { stroke: #ffffff; stroke-width: 5; stroke-opacity: .8; }
.s0 { stroke: #0b6bcb; } .s1 { stroke: #d97706; } .s2 { stroke: #0f8a6d; } .s3 { stroke: #9b4dca; }
.s4 { stroke: #4c7a00; } .s5 { stroke: #0891b2; }
.e0 { stroke: #c62f2f; } .e1 { stroke: #a3195b; } .e2 { stroke: #8a3b12; } .e3 { stroke: #7a1f1f; }
.e4 { stroke: #b00068; } .e5 { stroke: #8b0000; }
@media (prefers-color-scheme: dark) {
  text { fill: #9aa8b8; } .ground { fill: #161e28; } .title { fill: #e8edf3; } .grid { stroke: #273240; }
  .halo { stroke: #161e28; } .notice { fill: #ffdd8a; }
  .s0 { stroke: #5aa9ff; } .s1 { stroke: #ffb454; } .s2 { stroke: #3fd1a8; } .s3 { stroke: #cf97ff; }
  .s4 { stroke: #a5d64c; } .s5 { stroke: #4fd3ea; }
  .e0 { stroke: #ff6b60; } .e1 { stroke: #ff7bb5; } .e2 { stroke: #ff9a62; } .e3 { stroke: #ff8a8a; }
  .e4 { stroke: #ff6fc4; } .e5 { stroke: #ff5c5c; }
}
"""
_COLOURS = 6
_DECADES = 3
"""A logarithmic scale of more decades has a mark for each of them alone."""
_ALMOST = 0.01
"""The last request of a minute is due a moment before 60 s: that mark is shown all the same."""
Scale = Callable[[float], float]
"""From a figure to a place on the picture."""


def render(figures: Figures) -> str:
    """Return the picture."""
    latencies = [ms for one in figures.series for _, ms in one.points]
    scale = _Log(latencies) if figures.log and latencies else _Linear(latencies)

    def across(seconds: float) -> float:
        return _LEFT + seconds / figures.span * (_RIGHT - _LEFT)

    def upright(milliseconds: float) -> float:
        return _BOTTOM - scale.part(milliseconds) * (_BOTTOM - _TOP)

    styled = list(_styled(figures.series))
    legend, bottom = _legend(styled)
    foot = _foot(figures, bottom)
    height = bottom + 20 * len(foot) + 24
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}">',
        f"<title>wfx</title><style>{STYLE}</style>",
        f'<rect class="ground" width="{_WIDTH}" height="{height}" rx="12"/>',
        f'<text x="24" y="40"><tspan class="title">wfx</tspan><tspan dx="12">{escape(figures.subtitle)}</tspan></text>',
        f'<text class="end" x="{_RIGHT}" y="40">{escape(figures.when)}</text>',
        *(
            f'<text class="small notice" x="24" y="{60 + 18 * number}">{escape(notice)}</text>'
            for number, notice in enumerate(figures.notices)
        ),
        f'<text class="small" x="24" y="{_TOP - 12}">Latency{" (log scale)" if figures.log else ""}</text>',
        f'<text class="small end" x="{_RIGHT}" y="{_BOTTOM + 40}">Time since the start of the run</text>',
        *_grid(figures.span, scale.ticks, across, upright),
        "" if latencies else f'<text class="middle" x="{_WIDTH / 2:g}" y="{(_TOP + _BOTTOM) / 2:g}">{NOTHING}</text>',
        *(_marks(one, style, across, upright) for one, style in styled),
        *(_p99(one, style, figures, across, upright) for one, style in styled if not one.failed),
        *legend,
        *foot,
        "</svg>\n",
    ]
    return "\n".join(filter(None, parts))


class _Linear:
    """A scale from nothing to a bit more than the slowest."""

    def __init__(self, latencies: list[float]) -> None:
        self._top = max(latencies, default=1.0) * 1.06 or 1.0
        self.ticks = ticks(self._top, 6)

    def part(self, milliseconds: float) -> float:
        """Return the place of a latency, from 0 to 1."""
        return milliseconds / self._top


class _Log:
    """A scale from the fastest to the slowest, on which each factor has the same length."""

    def __init__(self, latencies: list[float]) -> None:
        self._bottom, top = max(min(latencies) * 0.8, 1e-3), max(latencies) * 1.25
        self._length = math.log(top / self._bottom)
        wide = math.log10(top / self._bottom) > _DECADES
        powers = range(math.floor(math.log10(self._bottom)), math.ceil(math.log10(top)) + 1)
        marks = (factor * 10.0**power for power in powers for factor in ((1,) if wide else (1, 2, 5)))
        self.ticks = [mark for mark in marks if self._bottom <= mark <= top]

    def part(self, milliseconds: float) -> float:
        """Return the place of a latency, from 0 to 1."""
        return max(math.log(max(milliseconds, self._bottom) / self._bottom), 0.0) / self._length


def _foot(figures: Figures, top: int) -> list[str]:
    """Write below the legend how to read the picture, the figures, the verdicts, and what was tested."""
    stretch = "second" if figures.step == 1 else f"{figures.step:g} s"
    lines = [
        f"Dots: requests, at the time they were due (crosses: failed). Lines: p99 of each {stretch}. Lower is better.",
        "; ".join(f"{name} {value}" for name, value in figures.tiles),
        *(f"threshold {verdict.word}: {verdict.sentence}" for verdict in figures.verdicts),
        "; ".join(f"{name} {value}" for name, value in figures.about),
    ]
    return [f'<text class="small" x="24" y="{top + 20 * row}">{escape(line)}</text>' for row, line in enumerate(lines)]


def _styled(series: list[Series]) -> Iterator[tuple[Series, str]]:
    good = bad = 0
    for one in series:
        if one.failed:
            yield one, f"e{bad % _COLOURS}"
            bad += 1
        else:
            yield one, f"s{good % _COLOURS}"
            good += 1


def _marks(one: Series, style: str, across: Scale, upright: Scale) -> str:
    places = [(across(seconds), upright(milliseconds)) for seconds, milliseconds in one.points]
    if one.failed:
        path = "".join(f"M{x - 3.5:.1f} {y - 3.5:.1f}l7 7m0-7l-7 7" for x, y in places)
        return f'<path class="crosses {style}" d="{path}"/>'
    path = "".join(f"M{x:.1f} {y:.1f}h0" for x, y in places)
    return f'<path class="dots {style}" d="{path}"/>'


def _p99(one: Series, style: str, figures: Figures, across: Scale, upright: Scale) -> str:
    """Draw steps, since each figure is that of a whole stretch; where there were no requests, there is no line."""
    path, end = "", -math.inf
    for stretch in one.stretches:
        left, y = across(min(stretch.start, figures.span)), upright(stretch.p99)
        path += f"V{y:.1f}" if abs(stretch.start - end) < figures.step / 2 else f"M{left:.1f} {y:.1f}"
        end = stretch.start + figures.step
        path += f"H{across(min(end, figures.span)):.1f}"
    return f'<path class="halo" d="{path}"/><path class="p99 {style}" d="{path}"/>'


def _grid(span: float, latencies: list[float], across: Scale, upright: Scale) -> Iterator[str]:
    labels = in_one_unit([round(milliseconds * MILLISECOND) for milliseconds in latencies])
    for milliseconds, label in zip(latencies, labels, strict=True):
        y = upright(milliseconds)
        yield f'<path class="grid" d="M{_LEFT} {y:.1f}H{_RIGHT}"/>'
        yield f'<text class="end" x="{_LEFT - 10}" y="{y + 5:.1f}">{label if milliseconds else "0"}</text>'
    for seconds in ticks(span, 10):
        x = across(seconds)
        yield f'<path class="grid" d="M{x:.1f} {_TOP}V{_BOTTOM}"/>'
        yield f'<text class="middle" x="{x:.1f}" y="{_BOTTOM + 22}">{seconds:g} s</text>'


def ticks(top: float, wanted: int) -> list[float]:
    """Return round numbers from 0 to ``top``, about as many as wanted."""
    rough = top / wanted
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
    return [number * step for number in range(int(top / step + _ALMOST) + 1)]


def in_words(milliseconds: float) -> str:
    """Write a latency for the scale of a picture."""
    if milliseconds >= 1000:
        return f"{milliseconds / 1000:g} s"
    return f"{milliseconds:g} ms" if milliseconds >= 1 else f"{milliseconds * 1000:g} µs" if milliseconds else "0"


def _legend(styled: list[tuple[Series, str]]) -> tuple[list[str], int]:
    """Name the series in as many rows as that takes; return the rows and where the next line of text may stand."""
    x, y = _LEFT, _BOTTOM + 64
    entries = []
    for one, style in styled:
        mark = "M0-3l6 6m0-6l-6 6" if one.failed else "M3 0h0"
        width = 2 if one.failed else 11
        room = 40 + 8 * len(one.name)
        if x + room > _WIDTH:
            x, y = _LEFT, y + 24
        entries.append(
            f'<g transform="translate({x} {y})"><path class="{style}" stroke-width="{width}" d="{mark}"/>'
            f'<text x="16" y="5">{escape(one.name)}</text></g>'
        )
        x += room
    return entries, y + 34
