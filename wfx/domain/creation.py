"""Decision to create a job."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from wfx.domain.definition import Definition, hash_of
from wfx.domain.job import Draft, Status
from wfx.domain.json import encode
from wfx.domain.tags import ordered, require_few
from wfx.domain.workflow import Workflow


class NewJob(NamedTuple):
    """A job to be created."""

    client_id: str
    workflow: str
    tags: Sequence[str] | None
    """As they were asked for; None if nothing was said of tags."""
    definition: Definition | None


def decide(workflow: Workflow, *, client_id: str, definition: Definition | None, tags: Sequence[str] | None) -> Draft:
    """Start a job where immediate transitions lead from the initial state (rest-api section 9.1).

    A definition of None was never given and stays so until one is put; ``{}`` was given and is kept. Raises
    TooManyTags.
    """
    state = workflow.settle(workflow.initial)
    definition_hash = hash_of(None) if definition is None else definition.hash
    encoded_tags = ordered(tags or ())
    require_few(encoded_tags)
    return Draft(
        client_id=client_id,
        workflow=workflow,
        state=state,
        status=Status(state, client_id=client_id, definition_hash=definition_hash).encoded,
        definition_hash=definition_hash,
        definition=None if definition is None else definition.encoded,
        tags=encoded_tags,
        asked_tags=None if tags is None else encode(tags),
    )
