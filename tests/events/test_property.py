"""Whatever happens in whatever order, a stream is exactly what its reader asked for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.events.listlog import WORKFLOWS, ListLog
from tests.events.virtual_time import run
from tests.events.world import (
    LOG_ID,
    Commit,
    Follower,
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
)
from wfx.domain.job import Action
from wfx.domain.timestamp import rfc3339_millis
from wfx.events import archive, broker, framing, recent, subscription

NAMES = st.sampled_from(("a", "b", "c"))
DRAFTS = st.tuples(NAMES, NAMES, st.sampled_from(list(WORKFLOWS)), st.sampled_from(list(Action)))
PARAMETERS = st.fixed_dictionaries({}, optional={
    "jobIds": st.sampled_from(["a", "b,c", "nobody", ""]),
    "clientIds": st.sampled_from(["a", "b,c", "nobody"]),
    "workflows": st.sampled_from(["flow-a", "nobody"]),
    "actions": st.sampled_from(["CREATE", "delete,update_status", ",".join(Action)]),
    "tags": st.just("label"),
})
READERS = st.integers(0, 5)
STEPS: st.SearchStrategy[list[Step]] = st.lists(
    st.one_of(
        st.builds(Commit, delay=st.sampled_from([0, 0.001, 0.01, 1]), drafts=st.lists(DRAFTS, min_size=1, max_size=8),
                  filling=st.sampled_from([0, 0, 300])),
        st.builds(Join, parameters=PARAMETERS, since=st.one_of(st.sampled_from([None, "now", "0"]), st.floats(0, 1)),
                  pace=st.sampled_from([0, 0.01, 2])),
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
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recent, "MOST_EVENTS", 6)
        patch.setattr(recent, "MOST_BYTES", 3000)
        patch.setattr(archive, "_MOST_EVENTS", 4)
        patch.setattr(archive, "_TARGET_BYTES", 1000)
        patch.setattr(framing, "CHUNK_BYTES", 250)
        patch.setattr(broker, "BOOKMARK_EVERY", 5)
        patch.setattr(broker, "_READ_EVENTS", 3)
        patch.setattr(subscription, "BOOKMARK_EVERY", 5)
        yield


def check_ids(follower: Follower, log: ListLog) -> None:
    """Ids count, or name the events' places on the log and are never told before what they stand for."""
    source = follower.source
    if follower.query.since is None:
        assert source.ids == [str(number) for number in range(1, len(source.ids) + 1)]
        return
    told = [int(number.removeprefix(f"{LOG_ID}-")) for number in source.ids]
    assert told == sorted(told)
    assert not source.early
    for number, data in source.events:
        event = log.events[int(number.removeprefix(f"{LOG_ID}-")) - 1]
        assert rfc3339_millis(event.ctime) == data["ctime"]


def check_events(follower: Follower, log: ListLog) -> None:
    """A reader that is connected saw all it wanted; one that is not saw a beginning of it and knows why."""
    possible = [follower.wanted(log.events, start) for start in range(follower.earliest, follower.latest + 1)]
    if follower.reader is not None and not follower.reader.ended:
        assert follower.seen in possible
        return
    assert any(wanted[:len(follower.seen)] == follower.seen for wanted in possible)
    if follower.query.since is not None and follower.source.last_id is not None:
        assert follower.overtaken


@settings(max_examples=200, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(STEPS, st.integers(0, 2**32))
def test_each_reader_gets_exactly_its_part_of_the_log(plan: list[Step], seed: int) -> None:
    """Any mix of commits, filters, slow readers, reconnects, pruning and lost connections shows each reader its events.

    In the order of the log, each once, none missing; a reader misses the rest only if the log was pruned beyond it.
    """
    async def scenario() -> None:
        world = World(seed)
        await world.broker.open()
        for step in plan:
            await step.happen(world)
        await world.come_to_rest()
        for follower in world.followers:
            check_ids(follower, world.log)
            check_events(follower, world.log)
        await world.broker.close()
        assert world.broker.subscribers == 0

    run(scenario())
