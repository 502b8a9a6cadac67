from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.domain.samples import edge, flow, new_job, objects, texts
from wfx.domain import creation
from wfx.domain.definition import Definition
from wfx.domain.json import Json, decode
from wfx.domain.workflow import Actor, Trigger

WFX, NOW = Actor.WFX, Trigger.IMMEDIATE


@given(texts, st.none() | objects, st.lists(texts))
def test_job_begins_settled(client_id: str, wanted: dict[str, Any] | None, tags: list[str]) -> None:
    """A new job stands where immediate transitions lead from the initial state, and says only who it is for."""
    workflow = flow("BA", edge("A", "B", WFX, NOW))
    given = None if wanted is None else Definition.of(wanted)
    draft = creation.decide(workflow, client_id=client_id, definition=given, tags=tags)
    shown = {"clientId": client_id} if client_id else {}
    assert (draft.state, draft.client_id, draft.workflow) == ("B", client_id, workflow)
    assert decode(draft.status) == {**shown, "definitionHash": draft.definition_hash, "state": "B"}
    assert decode(draft.tags) == sorted(set(tags))


def test_new_job_remembers_whether_a_definition_was_given() -> None:
    """No definition and an empty one stay apart, though they hash alike."""
    none, empty = new_job(definition=None), new_job(definition={})
    assert (none.definition, empty.definition) == (None, Json(b"{}"))
    assert none.definition_hash == empty.definition_hash
