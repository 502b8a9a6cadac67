"""Runs of scripts as tasks: what a script returns, and what it may not."""

from __future__ import annotations

import asyncio
import json
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from threading import Thread, current_thread
from typing import Any, cast

import pytest

from tests.tuned import tuned
from wfx.domain.cause import Cause, EncodedCause
from wfx.domain.json import encode
from wfx.domain.timestamp import Timestamp
from wfx.reactions.admission import MOST, Admission
from wfx.reactions.effects import ALL, DEEPEST, MOST_IN_CHAIN
from wfx.reactions.figures import RuleFigures
from wfx.reactions.run_endings import RunEndings
from wfx.reactions.script_tasks import ScriptTasks
from wfx.reactions.waiting_action import KIND
from wfx.rules.action_types import ActionTypes
from wfx.rules.own_actions import RUN_SCRIPT, own_actions
from wfx.scripts.runs import Outcome, RunResult
from wfx.service.limits import Limits
from wfx.service.script_runs import Tracker
from wfx.service.scripts import Scripts
from wfx.store.protocol import Store
from wfx.store.rule_records import NewTask, Task, TaskState
from wfx.tasks.performing import CannotBeDone, Ending, TryAgain

ROOT = Cause(root=7, depth=1).encoded
OUTSIDE = Cause("request-1", "north").encoded


class _Runs:
    """Stands for the engine: each run returns the same."""

    def __init__(self, value: bytes, outcome: Outcome = Outcome.DONE) -> None:
        self.result = RunResult(outcome, value)

    async def run(self, *_: Any) -> RunResult:
        return self.result


class _Kept:
    """Stands for the store: keeps how often actions were taken."""

    def __init__(self) -> None:
        self.counts = Counter[tuple[str, str]]()
        self.waiting = 0

    async def repetitions(self, root: str) -> Mapping[str, int]:
        return {element: count for (first, element), count in self.counts.items() if first == root}

    def add(self, ending: Ending) -> None:
        """Write the end of a task."""
        self.counts.update(ending.records.repetitions)
        ending.release()

    async def count_open_tasks(self) -> Mapping[str, int]:
        return {KIND: self.waiting}


def _claimed(new: NewTask) -> Task:
    times = (Timestamp(0), 1, Timestamp(0), Timestamp(0))
    return Task(1, new.key, new.kind, TaskState.RUNNING, *times, new.input, None, new.cause)


def _begun(key: str, cause: EncodedCause) -> Task:
    given = encode({"script": "s", "rule": "r", "action": "a"})
    return _claimed(NewTask(key, RUN_SCRIPT, given, Timestamp(0), cause))


def _tasks(
    value: bytes,
    store: _Kept,
    limits: Limits | None = None,
    outcome: Outcome = Outcome.DONE,
    types: Callable[[], ActionTypes] = own_actions,
) -> ScriptTasks:
    admission = Admission(cast("Store", store), limits or Limits(tuned()))
    endings = RunEndings(cast("Store", store), types, admission, lambda: 0, RuleFigures())
    return ScriptTasks(cast("Scripts", _Runs(value, outcome)), endings, 1.0, Tracker(lambda: True))


@pytest.mark.parametrize(("key", "cause"), [("log-1/7/a", ROOT), ("event/5f/a", OUTSIDE)])
@pytest.mark.parametrize("many", [1, 3, 40])
async def test_scripts_that_ask_for_scripts_come_to_an_end(key: str, cause: EncodedCause, many: int) -> None:
    """A script that has itself run, once or often, is no more than a chain of events may have."""
    store, runs = _Kept(), 0
    call = {"type": RUN_SCRIPT, "params": {"script": "s"}}
    performs = _tasks(encode({"actions": [call] * many}), store)
    waiting = deque([_begun(key, cause)])
    while waiting:
        ending = await performs.perform(waiting.popleft())
        assert isinstance(ending, Ending)
        store.add(ending)
        waiting.extend(map(_claimed, ending.records.tasks))
        runs += 1
        assert runs <= MOST_IN_CHAIN + 130
    assert runs >= min(many, 2)
    if many == 1:
        assert runs <= DEEPEST + 1


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (b'{"payload":{"a":"\\ud800"}}', "cannot be read: no low surrogate in string"),
        (b'{"payload":' + b"[" * 1500 + b"]" * 1500 + b"}", "cannot be read: depth limit exceeded"),
        (b'{"payload":1e999}', "cannot be read: number is infinity"),
        (b'{"actions":[{"type":"add_tag"}]}', r"has an unknown type 'add_tag' \(did you mean add_tags\?\)"),
        (b'{"actions":[{"params":{}}]}', "is no object with a type"),
        (b'{"actions":[{"type":"mail","params":[]}]}', "has params that are no object"),
        (b'{"actions":[{"type":"add_tags","params":{}}]}', "cannot be add_tags: tags is missing"),
        (b'{"actions":[{"type":"add_tags","params":{"tags":null}}]}', "cannot be add_tags: tags is missing"),
        (
            b'{"actions":[{"type":"add_tags","params":{"tags":["a"]}},{"type":"add_tags","params":{"tags":7}}]}',
            "action 2 that the script returned cannot be add_tags at 'tags': a list of texts is needed, not 7",
        ),
        (
            b'{"actions":[{"type":"reward_points","params":{"operation":"award","points_formula":"1"}}]}',
            "has the formula 'points_formula'",
        ),
        (b'{"actions":[{"type":"set_output","params":{"expression":"1"}}]}', "sets variables of rules alone"),
        (b'{"actions":[' + b"{}," * 100 + b"{}]}", "returned 101 actions, at most 100 are done"),
    ],
)
async def test_what_a_script_may_not_return(value: bytes, said: str) -> None:
    """What nobody here can read is the script's fault, and not tried again."""
    with pytest.raises(CannotBeDone, match=said):
        await _tasks(value, _Kept()).perform(_begun("log-1/7/a", ROOT))


@pytest.mark.parametrize(("actions", "looks"), [([], 0), ([{"type": "create_job", "params": {}}] * 3, 1)])
async def test_packages_are_looked_for_in_a_thread(actions: Sequence[Any], looks: int) -> None:
    """The types of actions are asked for once for a result, only if it has actions, and not in the event loop."""
    threads: list[Thread] = []

    def types() -> ActionTypes:
        threads.append(current_thread())
        return own_actions()

    performs = _tasks(encode({"actions": actions}), _Kept(), types=types)
    with suppress(CannotBeDone):
        await performs.perform(_begun("log-1/7/a", ROOT))
    assert len(threads) == looks
    assert current_thread() not in threads


async def test_actions_that_fail_for_this_event_alone() -> None:
    """An action that a rule could have, and that has no value here, stops no other; null is what is not given."""
    tags = {"type": "add_tags", "params": {"tags": ["a"]}}
    job = {"type": "create_job", "params": {"client_id": "d", "workflow": "w", "tags": None}}
    ending = await _tasks(encode({"payload": [1], "actions": [tags, job]}), _Kept()).perform(_begun("log-1/7/a", ROOT))
    assert isinstance(ending, Ending)
    assert ending.tell(["one"]) == "1 of 2 actions; a.1: job_id is missing, and the event has none"


@pytest.mark.parametrize("given", [{}, {"job_id": None}])
async def test_null_stands_for_what_is_not_given(given: Mapping[str, None]) -> None:
    """A parameter that is null has the value of the event, as one that is not given."""
    action = {"type": "add_tags", "params": {"tags": ["a"], **given}}
    task = _begun("log-1/7/a", ROOT)
    task = task._replace(input=encode({**json.loads(task.input), "payload": {"job_id": "j1"}}))
    ending = await _tasks(encode({"actions": [action]}), _Kept()).perform(task)
    assert isinstance(ending, Ending)
    assert [getattr(each, "job_id", None) for each in ending.operations] == ["j1"]
    assert ending.tell([None]) == "1 of 1 actions"


@pytest.mark.parametrize("is_full", [False, True])
async def test_limits_hold_for_what_scripts_ask_for(is_full: bool) -> None:
    """Of what a script asks for, actions that lack a token wait as tasks; they fail if there are too many of these."""
    job = {"type": "create_job", "params": {"client_id": "d", "workflow": "w"}}
    call = {"type": RUN_SCRIPT, "params": {"script": "s"}}
    settings = tuned(sandbox_rate_limit_instance_start=("2/P1D",), sandbox_rate_limit_job_schedule=("1/P1D",))
    store = _Kept()
    store.waiting = MOST if is_full else 0
    performs = _tasks(encode({"actions": [job, call, job, call, job]}), store, Limits(settings))
    ending = await performs.perform(_begun("log-1/7/a", ROOT))
    assert len(ending.operations) == 2
    told = ending.tell(["one", "two"])
    if is_full:
        assert [task.kind for task in ending.records.tasks] == [RUN_SCRIPT]
        assert told.startswith("3 of 5 actions")
        assert "a.4: the limit job-schedule is used up" in told
        assert "a.5: the limit instance-start is used up" in told
    else:
        assert [task.kind for task in ending.records.tasks] == [RUN_SCRIPT, KIND, KIND]
        assert told == "5 of 5 actions"


async def test_runs_of_a_chain_are_decided_on_in_turn() -> None:
    """While the end of a run is not written, no other run of its chain gets one, and those of other chains do."""
    call = {"type": RUN_SCRIPT, "params": {"script": "s"}}
    store = _Kept()
    performs = _tasks(encode({"actions": [call]}), store)
    first = await performs.perform(_begun("log-1/7/a", ROOT))
    second = asyncio.create_task(performs.perform(_begun("log-1/7/b", ROOT)))
    other = await performs.perform(_begun("event/5f/a", OUTSIDE))
    other.release()
    cancelled = asyncio.create_task(performs.perform(_begun("log-1/7/c", ROOT)))
    await asyncio.sleep(0)
    assert not second.done()
    cancelled.cancel()
    store.add(first)
    store.add(await second)
    assert store.counts == {("7", ALL): 2}


async def test_ends_that_are_not_written_cost_no_tokens() -> None:
    """A script that runs again and again, since its end cannot be written, takes the tokens of its actions once."""
    job = {"type": "create_job", "params": {"client_id": "d", "workflow": "w"}}
    limits = Limits(tuned(sandbox_rate_limit_instance_start=("5/P1D", "client=3/P1D")))
    performs = _tasks(encode({"actions": [job, job]}), _Kept(), limits)
    for _ in range(6):
        ending = await performs.perform(_begun("log-1/7/a", ROOT))
        assert (len(ending.operations), ending.records.tasks) == (2, ())
        ending.release()
    ending.note(["one", "two"])
    assert [state.left for state in (await limits.look("d"))[0]] == [3, 1]
    ending = await performs.perform(_begun("log-1/8/a", ROOT))
    assert (len(ending.operations), len(ending.records.tasks)) == (1, 1)


@pytest.mark.parametrize("outcome", sorted(set(Outcome) - {Outcome.DONE}))
async def test_which_runs_are_tried_again(outcome: Outcome) -> None:
    """A run without a place is tried again, one whose process died in doubt, and any other has failed at once."""
    again = {Outcome.BUSY: False, Outcome.FAILED: True}
    with pytest.raises((TryAgain, CannotBeDone), match=f"^{outcome}: ") as raised:
        await _tasks(b"", _Kept(), outcome=outcome).perform(_begun("log-1/7/a", ROOT))
    assert getattr(raised.value, "is_doubtful", None) == again.get(outcome)
