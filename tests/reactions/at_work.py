"""Rules at work on a store, without a server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.tuned import tuned
from tests.waiting import DEADLINE, until
from wfx.domain.job import Job
from wfx.domain.json import decode
from wfx.reactions.admission import Admission
from wfx.reactions.consumer import RuleConsumer
from wfx.reactions.fatals import Fatals
from wfx.reactions.figures import RuleFigures
from wfx.reactions.pace import Pace
from wfx.reactions.rule_source import RuleSource
from wfx.reactions.rules import Rules
from wfx.reactions.turn import NAME
from wfx.service.bounded_counts import BoundedCounts
from wfx.service.limits import Limits
from wfx.store.protocol import Store


@dataclass
class AtWork:
    """The parts, and what they have done."""

    store: Store
    rules: Rules
    figures: RuleFigures
    fatals: Fatals
    created: BoundedCounts
    consumer: RuleConsumer
    limits: Limits

    async def position(self) -> int:
        """Return up to which event the rules are done."""
        return next((one.position for one in await self.store.consumers() if one.name == NAME), -1)

    async def settled(self) -> None:
        """Wait until the rules are done with all events, also with those of what they have done."""
        async with asyncio.timeout(DEADLINE):
            while not await self._is_settled():  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.01)

    async def _is_settled(self) -> bool:
        head = (await self.store.log_bounds()).head
        return head == self.consumer.steps.place.position == await self.position()


def rule_file(folder: Path, text: str, name: str = "rules.yml") -> RuleSource:
    """Write a rule file."""
    (folder / name).write_text(text)
    return RuleSource(str(folder / name))


@asynccontextmanager
async def at_work(
    store: Store,
    source: RuleSource,
    *,
    limit: int = 0,
    is_shared: bool = False,
    pace: Pace | None = None,
    **settings: Any,
) -> AsyncIterator[AtWork]:
    """Have rules work on a store."""
    rules, holder = Rules(source), tuned(**settings)
    await rules.open()
    figures, fatals, created = RuleFigures(), Fatals(), BoundedCounts()
    limits = Limits(holder)
    admission = Admission(store, limits)
    consumer = RuleConsumer(
        store, rules, figures, fatals, created, admission, lambda: limit, is_shared=is_shared, pace=pace
    )
    async with consumer:
        await until(lambda: consumer.steps.log_id or not consumer._has_rules.is_set())
        yield AtWork(store, rules, figures, fatals, created, consumer, limits)
    await rules.close()


def tags_of(job: Job) -> list[str]:
    """Return the tags of a job."""
    found: list[str] = decode(job.tags)
    return found
