from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.samples import PRESS, applied, new_job, workflows
from wfx.domain import transition
from wfx.domain.errors import TransitionRefused
from wfx.domain.job import Action, Job, Status
from wfx.domain.json import Json, decode
from wfx.domain.workflow import Actor, Trigger, Workflow

CLIENT, WFX, NOW = Actor.CLIENT, Actor.WFX, Trigger.IMMEDIATE


def at(state: str, workflow: Workflow = PRESS) -> Job:
    """Return a job that stands in the state."""
    return new_job(workflow, definition={"n": 3}, tags=("a",))._replace(state=state)


def moved(origin: str, target: str, actor: Actor) -> str:
    """Return where a press ends up that is asked to move."""
    return transition.decide(at(origin), Status(target), actor).state


@pytest.mark.parametrize(
    ("origin", "target", "actor", "final"),
    [
        ("READY", "RUN", WFX, "RUN"),
        ("RUN", "RUN", CLIENT, "RUN"),
        ("RUN", "BROKEN", CLIENT, "BROKEN"),
        ("RUN", "BROKEN", WFX, "BROKEN"),
        ("RUN", "DONE", CLIENT, "REST"),
        ("DONE", "REST", WFX, "REST"),
    ],
)
def test_existing_transition_is_taken(origin: str, target: str, actor: Actor, final: str) -> None:
    """Who is eligible moves a job along a transition, and immediate transitions lead it on."""
    assert moved(origin, target, actor) == final


@pytest.mark.parametrize(
    ("origin", "target", "actor", "message"),
    [
        ("READY", "DONE", WFX, "transition from 'READY' to 'DONE' does not exist"),
        ("RUN", "READY", CLIENT, "transition from 'RUN' to 'READY' does not exist"),
        ("RUN", "NOWHERE", CLIENT, "transition from 'RUN' to 'NOWHERE' does not exist"),
        ("RUN", "run", CLIENT, "transition from 'RUN' to 'run' does not exist"),
        ("READY", "RUN", CLIENT, "transition from 'READY' to 'RUN' is not allowed for actor 'CLIENT'"),
        ("RUN", "DONE", WFX, "transition from 'RUN' to 'DONE' is not allowed for actor 'WFX'"),
        ("DONE", "REST", CLIENT, "transition from 'DONE' to 'REST' is not allowed for actor 'CLIENT'"),
    ],
)
def test_other_moves_are_refused_by_name(origin: str, target: str, actor: Actor, message: str) -> None:
    """A move without a transition, or for the other actor, is refused in the contract's words."""
    with pytest.raises(TransitionRefused) as refused:
        moved(origin, target, actor)
    assert str(refused.value) == message


@pytest.mark.parametrize("state", [state.name for state in PRESS.states if state.name != "DONE"])
@pytest.mark.parametrize("actor", Actor)
def test_report_of_the_same_state_is_always_allowed(state: str, actor: Actor) -> None:
    """Both actors may report the state a job is in already, with or without a self-loop, also in final states."""
    assert moved(state, state, actor) == state


def test_report_of_the_same_state_follows_immediate_transitions() -> None:
    """A job that rests where an immediate transition begins is led on by a report of that same state."""
    assert moved("DONE", "DONE", CLIENT) == "REST"


def test_status_is_replaced_as_a_whole() -> None:
    """The new status has the members of the request and no other, but for the hash, which is the job's."""
    job = at("RUN")
    wanted = Status.from_wire(
        {
            "state": "RUN",
            "clientId": "other",
            "progress": 0,
            "message": "half <way>",
            "context": {"n": 1.0},
            "definitionHash": "not the job's hash",
        }
    )
    first = transition.decide(job, wanted, CLIENT)
    assert first.action is Action.UPDATE_STATUS
    assert first.status == (
        b'{"clientId":"other","context":{"n":1},"definitionHash":"%b","message":"half \\u003cway\\u003e",'
        b'"progress":0,"state":"RUN"}' % job.definition_hash.encode()
    )
    second = transition.decide(applied(job, first), Status("RUN"), CLIENT)
    assert decode(second.status) == {"definitionHash": job.definition_hash, "state": "RUN"}


def test_status_led_on_has_only_its_state() -> None:
    """Where immediate transitions lead on, message, progress, context and client id of the request are dropped."""
    job = at("RUN")
    change = transition.decide(job, Status("DONE", "press-7", 100, "printed", Json(b'{"n":1}')), CLIENT)
    assert decode(change.status) == {"definitionHash": job.definition_hash, "state": "REST"}


def test_status_leaves_definition_and_tags_alone() -> None:
    """A status update changes neither the definition nor its hash nor the tags."""
    job = at("RUN")
    change = transition.decide(job, Status("BROKEN"), CLIENT)
    assert (change.definition, change.definition_hash, change.tags) == (job.definition, job.definition_hash, job.tags)


@given(workflows(), st.data())
def test_no_decision_leaves_the_graph(workflow: Workflow, data: st.DataObject) -> None:
    """However a job is pushed, it moves along transitions of the pusher and rests where nothing immediate begins."""
    immediate = {t.origin for t in workflow.transitions if t.eligible is WFX and t.trigger is NOW}
    edges = {(t.origin, t.target, t.eligible) for t in workflow.transitions}
    job = new_job(workflow)
    assert job.state not in immediate
    for _ in range(8):
        target = data.draw(st.sampled_from([state.name for state in workflow.states]))
        actor = data.draw(st.sampled_from(Actor))
        allowed = target == job.state or (job.state, target, actor) in edges
        try:
            change = transition.decide(job, Status(target), actor)
        except TransitionRefused:
            assert not allowed
        else:
            assert allowed
            assert change.state == workflow.settle(target)
            assert change.state not in immediate
            job = applied(job, change)
