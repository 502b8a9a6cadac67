"""Whatever happens in whatever order, a stream is exactly what its reader asked for."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.events.listlog import WORKFLOWS, ListLog
from tests.events.virtual_time import run
from tests.events.world import (
    Commit,
    GoOn,
    Join,
    Leave,
    LoseStore,
    Pause,
    Prune,
    Return,
    Step,
    Wait,
    World,
    tiny_bounds,
)
from wfx.domain.job import Action

NAMES = st.sampled_from(("a", "b", "c"))
DRAFTS = st.tuples(NAMES, NAMES, st.sampled_from(list(WORKFLOWS)), st.sampled_from(list(Action)))
PARAMETERS = st.fixed_dictionaries(
    {},
    optional={
        "jobIds": st.sampled_from(["a", "b,c", "nobody", ""]),
        "clientIds": st.sampled_from(["a", "b,c", "nobody"]),
        "workflows": st.sampled_from(["flow-a", "nobody"]),
        "actions": st.sampled_from(["CREATE", "delete,update_status", ",".join(Action)]),
        "tags": st.just("label"),
    },
)
READERS = st.integers(0, 5)
STEPS: st.SearchStrategy[list[Step]] = st.lists(
    st.one_of(
        st.builds(
            Commit,
            delay=st.sampled_from([0, 0.001, 0.01, 1]),
            drafts=st.lists(DRAFTS, min_size=1, max_size=8),
            filling=st.sampled_from([0, 0, 300]),
        ),
        st.builds(
            Join,
            parameters=PARAMETERS,
            since=st.one_of(st.sampled_from([None, "now", "0"]), st.floats(0, 1)),
            pace=st.sampled_from([0, 0.01, 2]),
        ),
        st.builds(Leave, READERS),
        st.builds(Return, READERS),
        st.builds(Pause, READERS),
        st.builds(GoOn, READERS),
        st.builds(Prune, st.integers(0, 30)),
        st.builds(LoseStore),
        st.builds(Wait, st.sampled_from([0, 0.001, 0.02, 1, 40])),
    ),
    min_size=10,
    max_size=60,
)


@pytest.fixture(scope="module", autouse=True)
def tiny() -> Iterator[None]:
    """Let every bound be met within a few events."""
    with tiny_bounds():
        yield


@settings(max_examples=120, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(STEPS, st.integers(0, 2**32))
def test_each_reader_gets_exactly_its_part_of_the_log(plan: list[Step], seed: int) -> None:
    """Any mix of commits, filters, slow readers, reconnects, pruning and lost connections shows each reader its events.

    In the order of the log, each once, none missing; a reader misses the rest only if the log was pruned beyond it.
    """

    async def scenario() -> None:
        world = World(ListLog("an-id", random.Random(seed)))
        await world.broker.open()
        for step in plan:
            await step.happen(world)
        await world.come_to_rest()
        world.check()
        await world.broker.close()
        assert world.broker.subscribers == 0

    run(scenario())
