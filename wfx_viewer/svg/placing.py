"""Places of nodes from left to right: near to their neighbours, and never on top of each other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from wfx_viewer.svg.ordering import Neighbours

PASSES = 16
GAP = 18.0
"""Between neighbours in a row."""
_STRAIGHT = 8.0
"""Weight of a link within an edge, which should be straight; one of a state weighs 1."""


class Extent(NamedTuple):
    """How far a node reaches from its middle to both sides."""

    left: float
    right: float


def place(
    rows: Sequence[list[int]], neighbours: Neighbours, extents: Sequence[Extent], states: int, components: Sequence[int]
) -> list[float]:
    """Return the middle of each node, from 0 on. Nodes from the number ``states`` on are within edges."""
    middles = [0.0] * len(extents)
    gaps = [[extents[one].right + GAP + extents[other].left for one, other in pairwise(row)] for row in rows]
    for row, between in zip(rows, gaps, strict=True):
        _put(middles, row, spread([0.0] * len(row), [1.0] * len(row), between))
    sides = ((neighbours.above, 1), (neighbours.below, -1))
    for step in range(PASSES):
        beside, direction = sides[step % 2]
        for row, between in list(zip(rows, gaps, strict=True))[::direction]:
            _put(middles, row, spread(*_wishes(row, middles, beside, states), between))
    return _side_by_side(middles, extents, components)


def _side_by_side(middles: Sequence[float], extents: Sequence[Extent], components: Sequence[int]) -> list[float]:
    """Move the connected components of the graph next to each other."""
    number = max(components, default=-1) + 1
    lefts, rights = [math.inf] * number, [-math.inf] * number
    for middle, extent, component in zip(middles, extents, components, strict=True):
        lefts[component] = min(lefts[component], middle - extent.left)
        rights[component] = max(rights[component], middle + extent.right)
    moves, reached = [], 0.0
    for left, right in zip(lefts, rights, strict=True):
        moves.append(reached - left)
        reached += right - left + 2 * GAP
    return [middle + moves[component] for middle, component in zip(middles, components, strict=True)]


def _put(middles: list[float], row: Sequence[int], found: Sequence[float]) -> None:
    for node, middle in zip(row, found, strict=True):
        middles[node] = middle


def _wishes(
    row: Sequence[int], middles: Sequence[float], beside: Sequence[list[int]], states: int
) -> tuple[list[float], list[float]]:
    """Return where the nodes of a row would like to be, and how much each."""
    wanted, weights = [], []
    for node in row:
        links = [(middles[other], _STRAIGHT if node >= states and other >= states else 1.0) for other in beside[node]]
        total = sum(weight for _, weight in links)
        wanted.append(sum(middle * weight for middle, weight in links) / total if links else middles[node])
        weights.append(total or 0.01)
    return wanted, weights


def spread(wanted: Sequence[float], weights: Sequence[float], gaps: Sequence[float]) -> list[float]:
    """Return the places nearest to those wanted (least squares) that keep the order and these gaps.

    Without the gaps this is isotonic regression, which pooling adjacent violators solves exactly, in one pass.
    """
    offsets = [0.0]
    for gap in gaps:
        offsets.append(offsets[-1] + gap)
    pools: list[tuple[float, float, int]] = []  # middle, weight, number of nodes
    for want, weight, offset in zip(wanted, weights, offsets, strict=False):
        middle, total, number = want - offset, weight, 1
        while pools and pools[-1][0] >= middle:
            before, heavy, many = pools.pop()
            middle = (before * heavy + middle * total) / (heavy + total)
            total, number = total + heavy, number + many
        pools.append((middle, total, number))
    shared = [middle for middle, _, number in pools for _ in range(number)]
    return [middle + offset for middle, offset in zip(shared, offsets, strict=False)]
