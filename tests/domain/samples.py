"""Workflows and jobs to test with: one written out, and strategies for any others."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from wfx.domain import creation
from wfx.domain.definition import Definition
from wfx.domain.job import Action, Change, Draft, Event, Job
from wfx.domain.json import Json
from wfx.domain.timestamp import Timestamp
from wfx.domain.workflow import Actor, Group, State, Transition, Trigger, Workflow

JOB_ID = "5c0b5bd6-6f0c-4b0d-9d2c-7f1b8f1f3a55"
STARTED = Timestamp(1_782_892_800_123_456)  # 2026-07-01T08:00:00.123456Z


def edge(origin: str, target: str, eligible: Actor = Actor.CLIENT, trigger: Trigger | None = None) -> Transition:
    """Write a transition shortly."""
    return Transition(origin, target, eligible, trigger)


def flow(states: str, *transitions: Transition, groups: tuple[Group, ...] | None = None) -> Workflow:
    """Write a workflow with one-letter states shortly."""
    return Workflow("demo.flow", tuple(map(State, states)), transitions, groups)


PRESS = Workflow(
    name="press.flow",
    description="Prints, then rests",
    states=(State("READY"), State("RUN", "prints"), State("DONE"), State("REST"), State("BROKEN")),
    transitions=(
        edge("READY", "RUN", Actor.WFX, Trigger.WAIT),
        edge("RUN", "RUN"),
        edge("RUN", "DONE"),
        edge("RUN", "BROKEN"),
        edge("RUN", "BROKEN", Actor.WFX),
        edge("DONE", "REST", Actor.WFX, Trigger.IMMEDIATE),
    ),
    groups=(Group("OPEN", ("READY", "RUN")), Group("CLOSED", ("REST",), "all well")),
)


def stored(draft: Draft, moment: Timestamp = STARTED) -> Job:
    """Store the draft, as far as the domain is concerned."""
    return Job(
        id=JOB_ID,
        client_id=draft.client_id,
        workflow=draft.workflow,
        state=draft.state,
        status=draft.status,
        definition_hash=draft.definition_hash,
        definition=draft.definition,
        tags=draft.tags,
        stime=moment,
        mtime=moment,
    )


def applied(job: Job, change: Change) -> Job:
    """Apply the change a second later, as a store does."""
    return Job(
        id=job.id,
        client_id=job.client_id,
        workflow=job.workflow,
        state=change.state,
        status=change.status,
        definition_hash=change.definition_hash,
        definition=change.definition,
        tags=change.tags,
        stime=job.stime,
        mtime=Timestamp(job.mtime + 1_000_000),
        version=job.version + 1,
    )


def new_job(
    workflow: Workflow = PRESS,
    *,
    client_id: str = "press-7",
    definition: dict[str, Any] | None = None,
    tags: tuple[str, ...] = (),
) -> Job:
    """Start and store a job."""
    given = None if definition is None else Definition.of(definition)
    return stored(creation.decide(workflow, client_id=client_id, definition=given, tags=tags))


def happened(job: Job, action: Action, payload: Json, seq: int = 1) -> Event:
    """Put the payload on the log."""
    return Event(seq, Timestamp(job.mtime + 999), action, job.id, job.client_id, job.workflow, payload)


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
"""Any text that UTF-8 can hold."""

numbers = (
    st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.integers(-(10**6), 10**6).map(float)
    | st.sampled_from([0, -0.0, 2**53, 2**53 + 1, 2**63, 2**64 - 1, 2.0**64, -(2**63), 1e20, 1e21, 5e-324])
)
values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
"""Any decoded JSON value; whole numbers beyond 64 bit are doubles then."""
objects: st.SearchStrategy[dict[str, Any]] = st.dictionaries(texts, values, max_size=4)
"""Any decoded JSON object."""

_letters = st.sampled_from("ABCDE")
_transitions = st.builds(
    Transition,
    _letters,
    _letters,
    st.sampled_from(Actor),
    st.none() | st.sampled_from(Trigger),
)
_groups = st.builds(Group, st.sampled_from("XYZ"), st.lists(_letters, min_size=1, max_size=2).map(tuple))
graphs: st.SearchStrategy[Workflow] = st.builds(
    Workflow,
    st.just("any.flow"),
    st.lists(_letters, max_size=5, unique=True)
    .flatmap(lambda unique: st.just(unique) | st.just(unique + unique[:1]))
    .map(lambda names: tuple(map(State, names))),
    st.lists(_transitions, max_size=7).map(tuple),
    st.none() | st.lists(_groups, max_size=2).map(tuple),
)
"""Workflows of few states with or without sense."""


@st.composite
def workflows(draw: st.DrawFn) -> Workflow:
    """Draw a workflow that keeps all rules: edges lead from earlier states to later ones, then the states are mixed."""
    names = [f"S{i}" for i in range(draw(st.integers(1, 7)))]
    edges = {(names[draw(st.integers(0, later - 1))], names[later]) for later in range(1, len(names))}
    for origin, target in draw(st.lists(st.tuples(st.sampled_from(names), st.sampled_from(names)), max_size=6)):
        edges.add((min(origin, target), max(origin, target)))
    actors = st.sets(st.sampled_from(Actor), min_size=1)
    transitions = [edge(*ends, actor) for ends in sorted(edges) for actor in sorted(draw(actors))]
    alone = {t.origin for t in transitions if sum(t.origin == other.origin for other in transitions) == 1}
    chosen = [
        edge(t.origin, t.target, t.eligible, draw(st.none() | st.sampled_from(Trigger)))
        if t.origin in alone and t.origin != t.target
        else t
        for t in transitions
    ]
    return Workflow(
        "fine.flow",
        tuple(map(State, draw(st.permutations(names)))),
        tuple(draw(st.permutations(chosen))),
        (Group("EVEN", tuple(names[::2])),),
    )


@st.composite
def altered_workflows(draw: st.DrawFn) -> Workflow:
    """Draw a workflow that kept all rules before it was given up to two more transitions, or lost one or a state."""
    workflow = draw(workflows())
    ends = st.sampled_from([state.name for state in workflow.states])
    triggers = st.none() | st.sampled_from(Trigger)
    more = draw(st.lists(st.builds(Transition, ends, ends, st.sampled_from(Actor), triggers), max_size=2))
    fewer = draw(st.sampled_from([(0, 0), (0, 1), (1, 0)]))
    return Workflow(
        "altered.flow", workflow.states[fewer[0] :], (*workflow.transitions[fewer[1] :], *more), workflow.groups
    )
