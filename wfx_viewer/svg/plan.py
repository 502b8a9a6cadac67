"""Plan of a picture: where everything is, in pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from wfx_viewer.diagram import Diagram
from wfx_viewer.svg import layering, ordering, placing
from wfx_viewer.svg.graph import MARK, Graph, graph_of, widest
from wfx_viewer.svg.lettering import LABEL_SIZE, LINE
from wfx_viewer.svg.placing import Extent

_NEAREST, _FARTHEST = 16.0, 90.0
"""Between two rows: the farther, the farther to the side edges go there."""
_SLOPE = 0.12
_PORT = 16.0
"""Between two edges at one side of a box."""
_PORTS = 0.7
"""Part of a side where edges begin and end."""


class Point(NamedTuple):
    """A point."""

    x: float
    y: float


@dataclass(slots=True)
class Route:
    """The way of an edge."""

    points: list[Point]
    """From its origin to its target: from the first to the second upright, to the third a curve, and so on in turn."""
    label: Point | None
    """The middle of its label."""
    lines: list[str]


@dataclass(slots=True)
class Plan:
    """Where everything is."""

    graph: Graph
    middles: list[Point]
    """By node."""
    routes: list[Route]
    width: float
    height: float


def plan(diagram: Diagram) -> Plan:
    """Lay out a diagram."""
    graph = graph_of(diagram)
    roots = [graph.initial] if graph.initial is not None else []
    layers = layering.layer(graph.count, graph.edges, roots)
    _list_long_ones(graph, layers.chains)
    extents, heights = _sizes(graph, layers)
    neighbours = ordering.Neighbours(len(layers.ranks), layers.chains)
    components = neighbours.components()
    rows = ordering.order(layers.ranks, neighbours, components)
    across = placing.place(rows, neighbours, extents, graph.count, components)
    tops, bottoms = _rows(rows, heights, across, neighbours)
    middles = [Point(x, (tops[r] + bottoms[r]) / 2) for x, r in zip(across, layers.ranks, strict=True)]
    width = max((x + extent.right for x, extent in zip(across, extents, strict=True)), default=0.0)
    router = _Router(graph, layers, middles, heights, tops, bottoms)
    return Plan(graph, middles, router.routes(), width, bottoms[-1] if bottoms else 0.0)


def _list_long_ones(graph: Graph, chains: Sequence[tuple[int, ...] | None]) -> None:
    """Write transitions that are not drawn into the boxes that they leave."""
    for edge, chain, lines in zip(graph.edges, chains, graph.labels, strict=True):
        if chain is None and lines:
            graph.boxes[edge.origin].listed.append(f"→ {graph.boxes[edge.target].shown}: {', '.join(lines)}")


def _sizes(graph: Graph, layers: layering.Layers) -> tuple[list[Extent], list[float]]:
    extents = [Extent(box.width / 2, box.width / 2 + box.loop_width) for box in graph.boxes]
    heights = [box.height for box in graph.boxes]
    marks = graph.count - len(graph.boxes)
    inner = len(layers.ranks) - graph.count
    extents += [Extent(MARK, MARK)] * marks + [Extent(2.0, 2.0)] * inner
    heights += [2 * MARK] * marks + [0.0] * inner
    for edge, chain, lines in zip(graph.edges, layers.chains, graph.labels, strict=True):
        if chain and lines:
            node = _label_node(edge, chain)
            extents[node] = Extent(widest(lines) / 2 + 4, widest(lines) / 2 + 4)
            heights[node] = LINE * LABEL_SIZE * len(lines)
    return extents, heights


def _label_node(edge: layering.Edge, chain: tuple[int, ...]) -> int:
    """Return the node beside the origin, which is the upper end unless the edge was turned round."""
    return chain[1] if chain[0] == edge.origin else chain[-2]


def _rows(
    rows: Sequence[list[int]], heights: Sequence[float], across: Sequence[float], neighbours: ordering.Neighbours
) -> tuple[list[float], list[float]]:
    """Return where each row begins and ends."""
    tops, bottoms, y = [], [], 0.0
    for row in rows:
        tops.append(y)
        bottoms.append(y + max(heights[node] for node in row))
        aside = max(
            (abs(across[node] - across[lower]) for node in row for lower in neighbours.below[node]), default=0.0
        )
        y = bottoms[-1] + min(_FARTHEST, _NEAREST + _SLOPE * aside)
    return tops, bottoms


class _Router:
    """Finds the ways of edges."""

    def __init__(
        self, graph: Graph, layers: layering.Layers, middles: Sequence[Point], heights: Sequence[float],
        tops: Sequence[float], bottoms: Sequence[float],
    ) -> None:  # fmt: skip
        self._graph, self._layers, self._middles = graph, layers, middles
        self._heights, self._tops, self._bottoms = heights, tops, bottoms
        self._leaving = self._ports(0, 1)
        self._entering = self._ports(-1, -2)

    def routes(self) -> list[Route]:
        """Return the ways of all edges that are drawn."""
        return [self._route(place, chain) for place, chain in enumerate(self._layers.chains) if chain is not None]

    def _ports(self, end: int, beside: int) -> dict[int, float]:
        """Return by edge where it meets its upper end (0, 1) or its lower end (-1, -2), from left to right."""
        meeting: dict[int, list[tuple[float, int]]] = {}
        for place, chain in enumerate(self._layers.chains):
            if chain is not None:
                meeting.setdefault(chain[end], []).append((self._middles[chain[beside]].x, place))
        ports = {}
        for node, edges in meeting.items():
            width = self._graph.boxes[node].width * _PORTS if node < len(self._graph.boxes) else 0.0
            step = min(_PORT, width / (len(edges) - 1)) if len(edges) > 1 else 0.0
            for number, (_, place) in enumerate(sorted(edges)):
                ports[place] = self._middles[node].x + step * (number - (len(edges) - 1) / 2)
        return ports

    def _route(self, place: int, chain: tuple[int, ...]) -> Route:
        upper, *inner, lower = chain
        top, bottom = (
            self._middles[upper].y + self._heights[upper] / 2,
            self._middles[lower].y - self._heights[lower] / 2,
        )
        first, last = self._layers.ranks[upper], self._layers.ranks[lower]
        points = [Point(self._leaving[place], top), Point(self._leaving[place], self._bottoms[first])]
        for rank, node in enumerate(inner, first + 1):
            x = self._middles[node].x
            points += [Point(x, self._tops[rank]), Point(x, self._bottoms[rank])]
        points += [Point(self._entering[place], self._tops[last]), Point(self._entering[place], bottom)]
        edge, lines = self._graph.edges[place], self._graph.labels[place]
        if edge.origin != upper:
            points.reverse()
        return Route(points, self._middles[_label_node(edge, chain)] if lines else None, lines)
