"""A program of its own, to be killed: takes steps and events and does tasks, each with a job, and says what is done."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.store.samples import FLOW, attempt, begin
from wfx.domain.json import Json
from wfx.domain.timestamp import Timestamp
from wfx.store.opening import open_store, system_clock
from wfx.store.operations import CreateJob
from wfx.store.protocol import Store
from wfx.store.rule_records import NewTask, RuleRecords, ScoreEntry, TaskOutcome, TaskState

RULES, KIND = "rules", "mail"
_SENT_AGAIN = 3
"""How many of the newest events come once more after a restart."""


def say(*words: object) -> None:
    """Tell the test, at once: a line is one write, and what is in the pipe survives this process."""
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


async def take_steps(store: Store) -> None:
    """Take one step after the other, each with a job and one record of each kind."""
    consumer = await store.consumer(RULES)
    number, place = consumer.steps, consumer.position
    while True:
        name = f"s{number}"
        records = RuleRecords(
            [NewTask(name, KIND, Json(b"{}"), Timestamp(system_clock()))],
            [ScoreEntry(name, "u", 1, "step")],
            {RULES: (number, number + 1)},
            {("root", f"element {number % 3}"): 1},
        )
        await store.step(RULES, place, number, place, [CreateJob(FLOW.name, begin(name))], records)
        say("step", number)
        number += 1


async def take_events(store: Store) -> None:
    """Take one event after the other, each with a job; the newest ones before once more."""
    number = 0
    while await store.read_event_answer(f"e{number + _SENT_AGAIN}") is not None:
        number += 1
    while True:
        name = f"e{number}"
        records = RuleRecords(scores=[ScoreEntry(name, "u", 1, "event")])
        wanted = [CreateJob(FLOW.name, begin(name))]
        say("event", name, await store.take_event(name, wanted, records, lambda results: str(results[0].id)))
        number += 1


async def do_tasks(store: Store, ttl: float, *, to_the_end: bool) -> None:
    """Do one task after the other, each with a job."""
    while True:
        for task in await store.claim_tasks([KIND], 2, ttl):
            wanted = [CreateJob(FLOW.name, begin(f"t{task.key}"))]
            await store.finish_task(task, TaskOutcome(TaskState.DONE, Json(b"{}")), wanted)
            say("task", task.key)
        if to_the_end and await store.next_task_due([KIND]) is None:
            return
        await asyncio.sleep(0.001)


async def main(kind: str, option: str) -> None:
    """Do all of it at the same time, without end."""
    store = await open_store(kind, option)
    await attempt(store.create_workflow(FLOW))
    await asyncio.gather(take_steps(store), take_events(store), do_tasks(store, 0.5, to_the_end=False))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
