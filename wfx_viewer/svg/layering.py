"""Layers of a graph: breaks cycles, gives nodes their ranks, and long edges a node in each rank between.

First part of the method of Sugiyama, Tagawa and Toda (1981). Everything takes time in proportion to nodes and edges.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

MOST_CHAINED = 20_000
"""Nodes that edges may have between their ends, those of all edges together."""


@dataclass(frozen=True, slots=True)
class Edge:
    """An edge between two different nodes."""

    origin: int
    target: int
    is_labelled: bool = True
    """Whether it needs a node for its label, beside its origin."""

    @property
    def least(self) -> int:
        """Return how many ranks it spans at least."""
        return 2 if self.is_labelled else 1


@dataclass(frozen=True, slots=True)
class Layers:
    """A graph in which each edge leads from one rank to the next."""

    ranks: Sequence[int]
    """By node; those within edges come after the others."""
    chains: Sequence[tuple[int, ...] | None]
    """By edge, the nodes from its upper end to its lower end, ends included; None for one that is too long to draw."""


def layer(count: int, edges: Sequence[Edge], roots: Sequence[int] = ()) -> Layers:
    """Lay a graph in layers; cycles are broken where a walk from these roots, and then from all nodes, closes them."""
    directed = [
        (edge.target, edge.origin) if turned else (edge.origin, edge.target)
        for edge, turned in zip(edges, _turned(count, edges, roots), strict=True)
    ]
    ranks = _ranks(count, directed, edges)
    spans = [ranks[lower] - ranks[upper] for upper, lower in directed]
    chains: list[tuple[int, ...] | None] = [None] * len(edges)
    left = MOST_CHAINED
    for place in sorted(range(len(edges)), key=spans.__getitem__):
        left -= spans[place] - 1
        if left < 0:
            break
        upper, lower = directed[place]
        inner = range(len(ranks), len(ranks) + spans[place] - 1)
        ranks += range(ranks[upper] + 1, ranks[lower])
        chains[place] = (upper, *inner, lower)
    return Layers(ranks, chains)


def _turned(count: int, edges: Sequence[Edge], roots: Sequence[int]) -> list[bool]:
    """Tell of each edge whether it closes a cycle, and so has to be turned round."""
    leaving: list[list[int]] = [[] for _ in range(count)]
    for place in reversed(range(len(edges))):
        leaving[edges[place].origin].append(place)  # so that the first one is popped first
    turned = [False] * len(edges)
    state = bytearray(count)  # 0: not met yet, 1: on the way that leads here, 2: done
    for root in (*roots, *range(count)):
        way = [root] if not state[root] else []
        while way:
            node = way[-1]
            state[node] = 1
            if not leaving[node]:
                state[way.pop()] = 2
                continue
            place = leaving[node].pop()
            target = edges[place].target
            if state[target] == 1:
                turned[place] = True
            elif not state[target]:
                way.append(target)
    return turned


def _ranks(count: int, directed: Sequence[tuple[int, int]], edges: Sequence[Edge]) -> list[int]:
    """Put each node as high as it can be, and then those that nothing leads to as low."""
    below: list[list[tuple[int, int]]] = [[] for _ in range(count)]
    waiting = [0] * count
    for (upper, lower), edge in zip(directed, edges, strict=True):
        below[upper].append((lower, edge.least))
        waiting[lower] += 1
    tops = [node for node in range(count) if not waiting[node]]
    ranks, ready = [0] * count, list(tops)
    for node in ready:  # which grows
        for lower, least in below[node]:
            ranks[lower] = max(ranks[lower], ranks[node] + least)
            waiting[lower] -= 1
            if not waiting[lower]:
                ready.append(lower)
    for node in tops:
        ranks[node] = min((ranks[lower] - least for lower, least in below[node]), default=0)
    return ranks
