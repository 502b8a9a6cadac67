"""A server that is killed while rules are at work."""

from __future__ import annotations

import asyncio
import random
import sys
from asyncio.subprocess import PIPE
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.store.backends import Backend
from tests.store.postgres_schemas import unsound
from tests.store.rule_process import RULES, do_tasks
from tests.store.samples import all_jobs
from wfx.store.opening import open_store
from wfx.store.rule_records import TaskQuery, TaskState
from wfx.store.sqlite.checking import check

_PROGRAM = Path(__file__).with_name("rule_process.py")


async def killed(backend: Backend, folder: Path, lines: int) -> Sequence[str]:
    """Let a process work until it has said so much, and kill it; return all that it has said."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(_PROGRAM), backend.kind, backend.option(folder), stdout=PIPE, stderr=PIPE
    )
    assert process.stdout is not None
    said = [await asyncio.wait_for(process.stdout.readuntil(b"\n"), 60) for _ in range(lines)]
    process.kill()
    said += [line for line in (await process.stdout.read()).splitlines(keepends=True) if line.endswith(b"\n")]
    await process.wait()
    return [line.decode().rstrip() for line in said]


@pytest.mark.timeout(300)
async def test_what_rules_do_happens_once_whenever_the_server_is_killed(lasting: Backend, tmp_path: Path) -> None:
    """After kill -9 at any point all that a step or an event brings about is there, once, or not yet.

    An event that is sent again gets the answer that it was given, and each task has its effect once.
    """
    chance, said = random.Random(8), list[str]()
    for _ in range(5):
        said += await killed(lasting, tmp_path, chance.randrange(20, 160))
    answers = {tuple(line.split()[1:]) for line in said if line.startswith("event")}
    assert len({event for event, _ in answers}) == len(answers), "each event has one answer"
    store = await open_store(lasting.kind, lasting.option(tmp_path))
    async with asyncio.timeout(60):
        await do_tasks(store, 60, to_the_end=True)
    steps = (await store.consumer(RULES)).steps
    jobs = Counter(job.client_id for job in await all_jobs(store))
    events = sum(name.startswith("e") for name in jobs)
    assert steps >= sum(line.startswith("step") for line in said)
    assert events >= len(answers) > 0
    names = [f"s{n}" for n in range(steps)]
    assert jobs == Counter([*names, *(f"t{name}" for name in names), *(f"e{n}" for n in range(events))])
    assert await store.score_totals(["u"]) == {"u": steps + events}
    assert await store.sequences([RULES]) == {RULES: steps}
    assert sum((await store.repetitions("root")).values()) == steps
    tasks = [
        task for start in range(0, steps, 1000) for task in await store.list_tasks(TaskQuery(after=start, limit=1000))
    ]
    assert {(task.key, task.state) for task in tasks} == {(name, TaskState.DONE) for name in names}
    await store.close()
    if lasting.kind == "sqlite":
        assert check(tmp_path / "wfx.db").findings == []
    else:
        assert set(await unsound(lasting.option(tmp_path))) <= {"writers that are gone"}
