"""A consumer that creates one job for each event of another job, and whether it has."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Any

from tests.store.samples import FLOW, begin
from wfx.domain.errors import StepTaken
from wfx.domain.job import Action, Event
from wfx.domain.json import decode
from wfx.store.operations import CreateJob
from wfx.store.protocol import Consumer, Store

NAME = "roll-up"


async def roll_up(store: Store, *, to_the_head: bool) -> None:
    """Consume the log, beside others of this name, up to its present head or for ever."""
    head = (await store.log_bounds()).head
    place = await store.consumer(NAME)
    while not to_the_head or place.position < head:
        events = await store.read_log(place.position, 20)
        try:
            await step(store, place, events)
        except StepTaken:
            await asyncio.sleep(0)
        place = await store.consumer(NAME)


async def step(store: Store, place: Consumer, events: Sequence[Event]) -> Sequence[Any]:
    """Take the consumer from its place to behind the events."""
    operations = [CreateJob(FLOW.name, begin(NAME, tags=[str(each.seq)])) for each in events if each.client_id != NAME]
    upto = events[-1].seq if events else place.position
    return await store.step(NAME, place.position, place.steps, upto, operations)


def unequal(log: Sequence[Event], *, upto: int) -> list[str]:
    """Say which events have no effect or several, from the first one on that has any, and which ones too early."""
    effects = Counter(
        int(decode(event.payload)["tags"][0])
        for event in log
        if (event.client_id, event.action) == (NAME, Action.CREATE)
    )
    due = {event.seq for event in log if event.client_id != NAME and min(effects, default=upto) < event.seq <= upto}
    wrong = {seq: effects[seq] for seq in due | effects.keys() if effects[seq] != 1 or seq > upto}
    return [f"event {seq} has {count} effects" for seq, count in wrong.items()]
