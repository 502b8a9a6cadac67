"""Facts beside an event: read from the store as far as an evaluation asks for them.

Evaluation is pure and cannot wait, so it is done with what is known; what it has asked for in vain is read, and it is
done again.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from time import monotonic

from wfx.expressions.scope import User
from wfx.reactions.effects import Effects, Lineage
from wfx.rules.evaluation import Evaluation, evaluate
from wfx.rules.event import Event
from wfx.rules.graph import Graph
from wfx.store.rule_protocol import FactStore
from wfx.store.rule_records import is_name

_MOST_READS = 64
"""Reads for one event: each finds what stands behind conditions that hold by what the one before has found."""


class TooManyFacts(ValueError):
    """An evaluation asks for ever more."""


class GatheredFacts:
    """What is known for one transaction, with what its own effects add."""

    def __init__(self, store: FactStore) -> None:
        """Begin with nothing; there are no users."""
        self.seconds = 0.0
        """How long evaluations took, without waiting for the store."""
        self._store = store
        self._scores: dict[str, float] = {}
        self._sequences: dict[str, int] = {}
        self._chains: dict[str, dict[str, int]] = {}
        self._missing_scores: set[str] = set()
        self._missing_sequences: set[str] = set()

    def score(self, actor_id: str) -> float:
        """Return the points of an actor."""
        found = self._scores.get(actor_id)
        if found is None:
            self._missing_scores.add(actor_id)
        return found or 0

    def sequence(self, key: str) -> int:
        """Return the last number that was drawn from a sequence."""
        found = self._sequences.get(key)
        if found is None:
            self._missing_sequences.add(key)
        return found or 0

    def user(self, _: str) -> User | None:
        """Return no user."""
        return None

    def members(self, _: Iterable[str]) -> Iterable[User]:
        """Return no users."""
        return ()

    async def evaluate(self, graph: Graph, event: Event, now: datetime) -> Evaluation:
        """Return what an event brings about. Raises TooManyFacts, and what the store raises."""
        for _ in range(_MOST_READS):
            began = monotonic()
            evaluation = evaluate(graph, event, self, now)
            self.seconds += monotonic() - began
            if not self._missing_scores and not self._missing_sequences:
                return evaluation
            await self._read()
        raise TooManyFacts(f"the rules ask for ever more scores and sequences: not known after {_MOST_READS} reads")

    async def lineage(self, root: str, limit: int) -> Lineage:
        """Return how often actions were taken in a chain, which begins with the event that ``root`` names."""
        if root not in self._chains:
            self._chains[root] = dict(await self._store.repetitions(root))
        return Lineage(root, self._chains[root], limit)

    def begin_chain(self, root: str, limit: int) -> Lineage:
        """Return the same for an event that begins a chain."""
        return Lineage(root, self._chains.setdefault(root, {}), limit)

    def note(self, effects: Effects) -> None:
        """Know what effects will have changed, once they are stored."""
        for entry in effects.records.scores:
            if entry.actor_id in self._scores:
                self._scores[entry.actor_id] += entry.points
        for name, (_, last) in effects.records.sequences.items():
            self._sequences[name] = last
        for (root, element), times in effects.records.repetitions.items():
            counts = self._chains.setdefault(root, {})
            counts[element] = counts.get(element, 0) + times

    async def _read(self) -> None:
        if scores := sorted(self._missing_scores):
            found = await self._store.score_totals([*filter(is_name, scores)])
            self._scores |= {actor_id: found.get(actor_id, 0) for actor_id in scores}
        if sequences := sorted(self._missing_sequences):
            drawn = await self._store.sequences([*filter(is_name, sequences)])
            self._sequences |= {name: drawn.get(name, 0) for name in sequences}
        self._missing_scores.clear()
        self._missing_sequences.clear()
