"""Picture of a diagram: its plan, written as SVG."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from wfx_viewer.characters import without_illegal_xml
from wfx_viewer.diagram import NO_GROUP_TEXT, Diagram
from wfx_viewer.svg import lettering
from wfx_viewer.svg.graph import LOOP, MARK, Box
from wfx_viewer.svg.lettering import LABEL_SIZE, LINE, NAME_SIZE, TEXT_SIZE
from wfx_viewer.svg.plan import Plan, Point, Route, plan

_MARGIN = 24.0
_SWATCH = 26.0
_ROW = 20.0
_LEGEND_TEXT = 640.0
_STYLE = f"""
text {{ font-family: "DejaVu Sans", Verdana, "Liberation Sans", Arial, sans-serif; font-size: {TEXT_SIZE:g}px }}
.title, .name {{ font-size: {NAME_SIZE:g}px; font-weight: bold }}
.state text {{ text-anchor: middle }}
.edge {{ fill: none; stroke: #555; stroke-width: 1.2 }}
.label {{ font-size: {LABEL_SIZE:g}px; fill: #222; stroke: #fff; stroke-width: 4px; paint-order: stroke }}
.middle {{ text-anchor: middle }}
"""
_ARROW = (
    '<defs><marker id="arrow" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" orient="auto">'
    '<path d="M0,1 L10,5 L0,9 z" fill="#555"/></marker></defs>'
)


def svg(diagram: Diagram) -> str:
    """Draw a diagram."""
    return "\n".join(_elements(diagram, plan(diagram))) + "\n"


def _elements(diagram: Diagram, drawn: Plan) -> Iterator[str]:
    legend = [(color.fill, group.name, group.description) for group, color in diagram.groups]
    legend.append(("#000000", "", NO_GROUP_TEXT))
    names = max(lettering.width(name, TEXT_SIZE, bold=True) for _, name, _ in legend)
    texts = [lettering.shortened(text, _LEGEND_TEXT, TEXT_SIZE) for _, _, text in legend]
    legend_width = _SWATCH + names + max(lettering.width(text, TEXT_SIZE) for text in texts) + 20
    title = lettering.shortened(diagram.name, _LEGEND_TEXT, NAME_SIZE, bold=True)
    width = 2 * _MARGIN + max(drawn.width, legend_width, lettering.width(title, NAME_SIZE, bold=True))
    top = _MARGIN + 2 * NAME_SIZE
    below = top + drawn.height + _MARGIN
    height = below + _ROW * len(legend) + _MARGIN
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" role="img">'
    )
    yield f"<title>{_plain(diagram.name)}</title>"
    yield f"<style>{_STYLE}</style>"
    yield _ARROW
    yield f'<rect width="{width:.0f}" height="{height:.0f}" fill="#fff"/>'
    yield f'<text class="title" x="{_MARGIN:g}" y="{_MARGIN + NAME_SIZE / 2:g}">{_plain(title)}</text>'
    yield f'<g transform="translate({(width - drawn.width) / 2:.1f} {top:g})">'
    yield from _lines(drawn.routes)
    yield from _nodes(diagram, drawn)
    yield "</g>"
    yield f'<g class="legend" transform="translate({_MARGIN:g} {below:.1f})">'
    for number, ((fill, name, _), text) in enumerate(zip(legend, texts, strict=True)):
        y = _ROW * number
        yield f'<rect y="{y:g}" width="18" height="14" rx="3" fill="{fill}" stroke="#555"/>'
        yield f'<text x="{_SWATCH:g}" y="{y + 11:g}" font-weight="bold">{_plain(name)}</text>'
        yield f'<text x="{_SWATCH + names + 10:.1f}" y="{y + 11:g}">{_plain(text)}</text>'
    yield "</g>"
    yield "</svg>"


def _lines(routes: Sequence[Route]) -> Iterator[str]:
    for route in routes:
        yield f'<path class="edge" d="{_path(route.points)}" marker-end="url(#arrow)"/>'
    for route in routes:
        if route.label is not None:
            yield from _label(route.label, route.lines, "label middle")


def _path(points: Sequence[Point]) -> str:
    """Draw curves from row to row, that are upright where they meet a row, and straight lines within rows."""
    (x, y), *rest = points
    path = [f"M{x:.1f},{y:.1f}"]
    for place, point in enumerate(rest):
        if place % 2:
            half = (y + point.y) / 2
            path.append(f"C{x:.1f},{half:.1f} {point.x:.1f},{half:.1f} {point.x:.1f},{point.y:.1f}")
        elif abs(point.y - y) > 0.05:
            path.append(f"V{point.y:.1f}")
        x, y = point
    return " ".join(path)


def _label(middle: Point, lines: Sequence[str], style: str) -> Iterator[str]:
    height = LINE * LABEL_SIZE
    first = middle.y - height * (len(lines) - 1) / 2 + LABEL_SIZE * 0.35
    for number, line in enumerate(lines):
        yield f'<text class="{style}" x="{middle.x:.1f}" y="{first + height * number:.1f}">{_plain(line)}</text>'


def _nodes(diagram: Diagram, drawn: Plan) -> Iterator[str]:
    graph = drawn.graph
    for box, middle in zip(graph.boxes, drawn.middles, strict=False):
        yield from _state(diagram, box, middle)
    for mark in range(len(graph.boxes), graph.count):
        x, y = drawn.middles[mark]
        if mark == graph.initial:
            yield f'<circle class="initial" cx="{x:.1f}" cy="{y:.1f}" r="{MARK:g}" fill="#000"/>'
        else:
            yield f'<circle class="final" cx="{x:.1f}" cy="{y:.1f}" r="{MARK - 1:g}" fill="#fff" stroke="#000"/>'
            yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{MARK - 4:g}" fill="#000"/>'


def _state(diagram: Diagram, box: Box, middle: Point) -> Iterator[str]:
    color = diagram.color(box.name)
    left, top = middle.x - box.width / 2, middle.y - box.height / 2
    if box.loops:
        right = middle.x + box.width / 2
        reach = f"{right + LOOP:.1f},{middle.y - 14:.1f} {right + LOOP:.1f},{middle.y + 14:.1f}"
        path = f"M{right:.1f},{middle.y - 6:.1f} C{reach} {right:.1f},{middle.y + 6:.1f}"
        yield f'<path class="edge" d="{path}" marker-end="url(#arrow)"/>'
        yield from _label(Point(right + LOOP - 2, middle.y), box.loops, "label")
    yield f'<g class="state" fill="{color.text}">'
    yield f"<title>{_plain(': '.join(filter(None, (box.name, box.description))))}</title>"
    yield (
        f'<rect x="{left:.1f}" y="{top:.1f}" width="{box.width:.1f}" height="{box.height:.1f}" rx="6" '
        f'fill="{color.fill}" stroke="#333"/>'
    )
    y = middle.y - (LINE * NAME_SIZE + LINE * TEXT_SIZE * len(box.lines)) / 2 + NAME_SIZE
    yield f'<text class="name" x="{middle.x:.1f}" y="{y:.1f}">{_plain(box.shown)}</text>'
    for number, line in enumerate(box.lines, 1):
        yield f'<text x="{middle.x:.1f}" y="{y + LINE * TEXT_SIZE * number + 2:.1f}">{_plain(line)}</text>'
    yield "</g>"


def _plain(text: str) -> str:
    return escape(without_illegal_xml(text))
