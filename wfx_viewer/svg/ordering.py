"""Order of nodes within their ranks: few crossings, by a fixed number of sweeps."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Sequence
from itertools import pairwise

SWEEPS = 12


class Neighbours:
    """Who is connected with whom between neighbouring ranks."""

    def __init__(self, count: int, chains: Sequence[tuple[int, ...] | None]) -> None:
        """Take the links of all chains."""
        self.above: list[list[int]] = [[] for _ in range(count)]
        self.below: list[list[int]] = [[] for _ in range(count)]
        for chain in chains:
            for upper, lower in pairwise(chain or ()):
                self.below[upper].append(lower)
                self.above[lower].append(upper)

    def components(self) -> list[int]:
        """Return for each node the number of its connected component, from 0 on."""
        found = [-1] * len(self.above)
        number = 0
        for start in range(len(found)):
            waiting = [start]
            number += found[start] < 0
            while waiting:
                node = waiting.pop()
                if found[node] < 0:
                    found[node] = number - 1
                    waiting += self.above[node] + self.below[node]
        return found


def order(ranks: Sequence[int], neighbours: Neighbours, components: Sequence[int]) -> list[list[int]]:
    """Return the nodes of each rank from left to right, component by component."""
    rows = _as_found(ranks, neighbours)
    best, fewest = rows, _crossings(rows, neighbours)
    for sweep in range(SWEEPS):
        if not fewest:
            break
        rows = _swept(rows, neighbours.below if sweep % 2 else neighbours.above, upwards=bool(sweep % 2))
        crossings = _crossings(rows, neighbours)
        if crossings < fewest:
            best, fewest = rows, crossings
    return [sorted(row, key=components.__getitem__) for row in best]


def _as_found(ranks: Sequence[int], neighbours: Neighbours) -> list[list[int]]:
    """Fill the rows as a walk finds the nodes: depth first, from above."""
    rows: list[list[int]] = [[] for _ in range(max(ranks, default=-1) + 1)]
    met = bytearray(len(ranks))
    for start in sorted(range(len(ranks)), key=ranks.__getitem__):
        waiting = [start]
        while waiting:
            node = waiting.pop()
            if not met[node]:
                met[node] = 1
                rows[ranks[node]].append(node)
                waiting += reversed(neighbours.below[node])
    return rows


def _swept(rows: Sequence[list[int]], beside: Sequence[list[int]], *, upwards: bool) -> list[list[int]]:
    """Put each node of a row where its neighbours in the row before are on average."""
    places = [0.0] * len(beside)
    swept = []
    for row in reversed(rows) if upwards else rows:
        for place, node in enumerate(row):
            found = beside[node]
            places[node] = sum(places[other] for other in found) / len(found) if found else place
        arranged = sorted(row, key=places.__getitem__)
        for place, node in enumerate(arranged):
            places[node] = place
        swept.append(arranged)
    return swept[::-1] if upwards else swept


def _crossings(rows: Sequence[list[int]], neighbours: Neighbours) -> int:
    places = [0] * len(neighbours.below)
    for row in rows:
        for place, node in enumerate(row):
            places[node] = place
    crossings = 0
    for row in rows:
        passed: list[int] = []
        for node in row:
            ends = sorted(places[lower] for lower in neighbours.below[node])
            crossings += sum(len(passed) - bisect_right(passed, end) for end in ends)
            for end in ends:
                insort(passed, end)
    return crossings
