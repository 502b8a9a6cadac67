from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.domain.samples import applied, happened, new_job, objects, texts
from wfx.domain import definition, job_json, replay, tags, transition
from wfx.domain.job import Action, Change, Job, Status
from wfx.domain.json import decode
from wfx.domain.workflow import Actor


@given(st.lists(st.integers(0, 5), max_size=12), st.data())
def test_events_tell_all_about_a_job(kinds: list[int], data: st.DataObject) -> None:
    """Whatever happens to a job, its events alone say what has become of it."""
    wanted = data.draw(st.none() | objects)
    job = new_job(definition=wanted, tags=tuple(data.draw(st.lists(texts, max_size=3))))
    known = replay.after(happened(job, Action.CREATE, job_json.created(job)), None)
    assert known == decode(job_json.created(job))
    for kind in kinds:
        change = drawn_change(job, kind, data)
        job = applied(job, change)
        known = replay.after(happened(job, change.action, job_json.changed(job, change.action)), known)
        assert known == decode(job_json.created(job))
    assert replay.after(happened(job, Action.DELETE, job_json.deleted(job)), known) is None


def drawn_change(job: Job, kind: int, data: st.DataObject) -> Change:
    """Decide on a change of some kind."""
    names = data.draw(st.lists(texts | st.sampled_from(decode(job.tags) or [""]), max_size=3))
    match kind:
        case 0:
            return tags.add(job, names)
        case 1:
            return tags.remove(job, names)
        case 2:
            return definition.decide(job, definition.Definition.of(data.draw(objects)))
        case 3:
            wanted = Status.from_wire({"state": job.state, "context": data.draw(objects)})
            return transition.decide(job, wanted, Actor.CLIENT)
    ways = {t.target: t.eligible for t in job.workflow.transitions if t.origin == job.state}
    target = data.draw(st.sampled_from(sorted({job.state, *ways})))
    return transition.decide(job, Status(target, "press-7", 5, "<m>"), ways.get(target, Actor.WFX))


def test_suffix_of_events_tells_what_it_can() -> None:
    """Where a job's beginning was pruned from the log, what is left says what it can and claims nothing else."""
    job = new_job(definition={"n": 1}, tags=("a",))
    known = replay.after(happened(job, Action.UPDATE_DEFINITION, job_json.changed(job, Action.UPDATE_DEFINITION)), None)
    assert known is not None
    assert known["status"] == {"definitionHash": job.definition_hash}
    known = replay.after(happened(job, Action.UPDATE_STATUS, job_json.changed(job, Action.UPDATE_STATUS)), known)
    assert known == {
        name: value for name, value in decode(job_json.created(job)).items() if name not in ("stime", "tags")
    }
