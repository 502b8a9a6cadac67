"""Operations on jobs that actions of rules come to, by the decisions that requests make."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

from wfx.domain import creation, definition, tags, transition
from wfx.domain.cause import EncodedCause
from wfx.domain.definition import DEEPEST, Definition, depth_within
from wfx.domain.job import Status
from wfx.domain.workflow import Actor
from wfx.rules.action_types import Parameters
from wfx.store.operations import ChangeJob, CreateJob, JobOperation


def operation_of(kind: str, parameters: Parameters, cause: EncodedCause) -> JobOperation:
    """Return the operation of an action of this type. Raises ValueError, or what a definition raises."""
    make = _MAKE.get(kind)
    if make is None:
        raise ValueError(f"nothing is known of how to carry out actions of type {kind}")
    return make(parameters, cause)


def require_text(**texts: str) -> None:
    """Raise ValueError for a text that not every database can keep."""
    for name, text in texts.items():
        if "\0" in text:
            raise ValueError(f"{name} has the character U+0000, which is not used in texts")
        try:
            text.encode()
        except UnicodeEncodeError:
            raise ValueError(f"{name} has half of a surrogate pair, which is no character") from None


def _create(parameters: Parameters, cause: EncodedCause) -> JobOperation:
    names = parameters.get("tags")
    require_text(client_id=parameters["client_id"], workflow=parameters["workflow"], tags="".join(names or ()))
    wanted = _definition(parameters["definition"]) if "definition" in parameters else None
    decide = partial(creation.decide, client_id=parameters["client_id"], definition=wanted, tags=names)
    return CreateJob(parameters["workflow"], decide, len(wanted.encoded) if wanted else 0, cause)


def _add_tags(parameters: Parameters, cause: EncodedCause) -> JobOperation:
    require_text(tags="".join(parameters["tags"]))
    return ChangeJob(parameters["job_id"], partial(tags.add, tags=parameters["tags"]), 0, cause)


def _delete_tags(parameters: Parameters, cause: EncodedCause) -> JobOperation:
    return ChangeJob(parameters["job_id"], partial(tags.remove, tags=parameters["tags"]), 0, cause)


def _update_status(parameters: Parameters, cause: EncodedCause) -> JobOperation:
    wanted = Status(parameters["state"], message=parameters.get("message", ""))
    require_text(state=wanted.state, message=wanted.message)
    return ChangeJob(parameters["job_id"], partial(transition.decide, wanted=wanted, actor=Actor.WFX), 0, cause)


def _update_definition(parameters: Parameters, cause: EncodedCause) -> JobOperation:
    wanted = _definition(parameters["definition"])
    decide = partial(definition.decide, wanted=wanted)
    return ChangeJob(parameters["job_id"], decide, len(wanted.encoded), cause)


def _definition(value: dict[str, Any]) -> Definition:
    if not depth_within(value, DEEPEST):
        raise ValueError(f"the definition is nested more than {DEEPEST} levels deep")
    return Definition.of(value)


_MAKE: Mapping[str, Callable[[Parameters, EncodedCause], JobOperation]] = MappingProxyType(
    {
        "create_job": _create,
        "add_tags": _add_tags,
        "delete_tags": _delete_tags,
        "update_status": _update_status,
        "update_definition": _update_definition,
    }
)
