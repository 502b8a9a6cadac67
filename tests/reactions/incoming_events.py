"""Events from outside for tests: rules, a store that can be stalled, and events."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from wfx.domain.cause import Cause
from wfx.domain.json import Json, encode
from wfx.expressions.expression import Compiler
from wfx.expressions.library import own_functions
from wfx.rules.graph import Graph
from wfx.rules.own_actions import own_actions
from wfx.rules.rule_file import load
from wfx.store.operations import JobOperation
from wfx.store.protocol import Store
from wfx.store.rule_records import RuleRecords

CAUSE = Cause("request-1", "north")
PURCHASE = {
    "type": "transaction", "source": "pos-system", "actor_id": "user_42",
    "payload": {"amount": 1500, "category": "food"},
}  # fmt: skip
AWARDED = "Awarded 75 points to user_42 — High-value food purchase bonus"
FOOD = """
version: v1
scenarios:
  - id: sc_high_value_food
    event_types: [transaction]
    children:
      - condition:
          id: cond_high_value
          expression: payload.amount > 1000
          children:
            - action:
                id: act_bonus_points
                type: reward_points
                params:
                  operation: award
                  points_formula: payload.amount * 0.05
                  reason: High-value food purchase bonus
  - id: sc_numbered
    event_types: [numbered]
    children:
      - action:
          id: act_numbered
          type: reward_points
          params: {operation: award, points: 1, reason: "${seq:next(\\"n\\")}"}
"""


@dataclass
class Loaded:
    """Rules that a test can replace."""

    graph: Graph | None

    @classmethod
    def of(cls, text: str, **engine: Any) -> Loaded:
        """Load a file, with other numbers of the engine than it says."""
        graph = load(text.encode(), Compiler(own_functions()), own_actions())
        return cls(replace(graph, engine=replace(graph.engine, **engine)))


@dataclass
class Stalling:
    """A store whose commits of events can be held up; everything else is done by the real one."""

    store: Store
    flows: asyncio.Event = field(default_factory=asyncio.Event)
    waiting: int = 0
    """Events that are held up."""
    failures: list[Exception] = field(default_factory=list)
    """What the next ones raise."""

    def __post_init__(self) -> None:
        """Begin without holding anything up."""
        self.flows.set()

    async def take_event(
        self,
        event_id: str,
        operations: Sequence[JobOperation],
        records: RuleRecords,
        tell: Callable[[Sequence[Any]], str],
        *,
        is_kept: bool = True,
    ) -> str:
        """Wait until it flows, then have the store do it."""
        self.waiting += 1
        await self.flows.wait()
        self.waiting -= 1
        if self.failures:
            raise self.failures.pop(0)
        return await self.store.take_event(event_id, operations, records, tell, is_kept=is_kept)

    def __getattr__(self, name: str) -> Any:
        """Be the store in all else."""
        return getattr(self.store, name)


def purchase(**members: Any) -> Json:
    """A purchase with other members."""
    return encode(PURCHASE | members)
