"""Line charts as SVG files that need nothing else, for the guide; light or dark as the reader's system is."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from wfx_loadtest.report.svg import STYLE, in_words, ticks

_WIDTH, _HEIGHT = 900, 480
_LEFT, _RIGHT, _TOP, _BOTTOM = 84, 876, 76, 376
_HEADROOM = 1.08
_DECADE = (1, 2, 5)
_OWN_STYLE = """
.line { stroke-width: 2.4; } .dashed { stroke-dasharray: 2 6; } .dots { stroke-width: 8; stroke-opacity: 1; }
"""


@dataclass(frozen=True, slots=True)
class Line:
    """A series of points, from left to right."""

    name: str
    colour: int
    """From 0 to 5."""
    points: Sequence[tuple[float, float]]
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Axis:
    """What a direction means, from where to where."""

    label: str
    least: float
    most: float
    marks: Sequence[tuple[float, str]]
    logarithmic: bool = False

    def share(self, value: float) -> float:
        """Return how far along the axis a value is, from 0 to 1."""
        if self.logarithmic:
            return math.log(value / self.least) / math.log(self.most / self.least)
        return (value - self.least) / (self.most - self.least)


@dataclass(frozen=True, slots=True)
class Chart:
    """A picture with some lines."""

    title: str
    across: Axis
    upright: Axis
    lines: Sequence[Line]


def counts(label: str, values: Sequence[float]) -> Axis:
    """Make an axis from zero, in whole numbers."""
    most = max(values) * _HEADROOM
    return Axis(label, 0, most, [(mark, f"{mark:,.0f}") for mark in ticks(most, 6)])


def doublings(label: str, values: Sequence[int]) -> Axis:
    """Make an axis on which equal steps are equal factors, marked at the values."""
    return Axis(label, min(values), max(values), [(value, f"{value}") for value in values], logarithmic=True)


def latencies(label: str, values: Sequence[float]) -> Axis:
    """Make an axis of milliseconds on which equal steps are equal factors."""
    least, most = min(values) / _HEADROOM, max(values) * _HEADROOM
    decades = range(math.floor(math.log10(least)), math.ceil(math.log10(most)) + 1)
    marks = [factor * 10.0**decade for decade in decades for factor in _DECADE]
    shown = [(mark, in_words(mark)) for mark in marks if least <= mark <= most]
    return Axis(label, least, most, shown, logarithmic=True)


def render(chart: Chart) -> str:
    """Return the picture."""
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}">',
            f"<title>{escape(chart.title)}</title><style>{STYLE}{_OWN_STYLE}</style>",
            f'<rect class="ground" width="{_WIDTH}" height="{_HEIGHT}" rx="12"/>',
            f'<text class="title" x="24" y="36">{escape(chart.title)}</text>',
            *_grid(chart),
            *(_line(chart, line) for line in chart.lines),
            *_legend(chart.lines),
            "</svg>\n",
        ]
    )


def _x(chart: Chart, value: float) -> float:
    return _LEFT + chart.across.share(value) * (_RIGHT - _LEFT)


def _y(chart: Chart, value: float) -> float:
    return _BOTTOM - chart.upright.share(value) * (_BOTTOM - _TOP)


def _grid(chart: Chart) -> Iterator[str]:
    for value, text in chart.upright.marks:
        y = _y(chart, value)
        yield f'<path class="grid" d="M{_LEFT} {y:.1f}H{_RIGHT}"/>'
        yield f'<text class="end" x="{_LEFT - 10}" y="{y + 5:.1f}">{text}</text>'
    for value, text in chart.across.marks:
        x = _x(chart, value)
        yield f'<path class="grid" d="M{x:.1f} {_TOP}V{_BOTTOM}"/>'
        yield f'<text class="middle" x="{x:.1f}" y="{_BOTTOM + 22}">{text}</text>'
    yield f'<text x="24" y="{_TOP - 16}">{escape(chart.upright.label)}</text>'
    yield f'<text class="end" x="{_RIGHT}" y="{_BOTTOM + 46}">{escape(chart.across.label)}</text>'


def _line(chart: Chart, line: Line) -> str:
    corners = [f"{_x(chart, across):.1f} {_y(chart, upright):.1f}" for across, upright in line.points]
    dots = "".join(f"M{corner}h0" for corner in corners)
    dashed = " dashed" if line.dashed else ""
    return (
        f'<path class="line s{line.colour}{dashed}" d="M{"L".join(corners)}"/>'
        f'<path class="dots s{line.colour}" d="{dots}"/>'
    )


def _legend(lines: Sequence[Line]) -> Iterator[str]:
    x = _LEFT
    for line in lines:
        dashed = " dashed" if line.dashed else ""
        yield (
            f'<g transform="translate({x} {_BOTTOM + 76})"><path class="line s{line.colour}{dashed}" d="M0 0h26"/>'
            f'<text x="34" y="5">{escape(line.name)}</text></g>'
        )
        x += 64 + 8 * len(line.name)
