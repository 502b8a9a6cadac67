"""Workflows in files (cli section 8): JSON or YAML, read into what the API takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, cast

from wfx.commandline.failures import Failure
from wfxctl import gojson

if TYPE_CHECKING:  # the domain imports a JSON codec that most commands do not need
    from wfx.domain.workflow import Workflow

Document = dict[str, Any]


class NoWorkflow(ValueError):
    """What a file holds is data, but no workflow."""


class InvalidFile(Failure):
    """A file is neither JSON nor YAML, or holds no workflow."""

    def __init__(self, name: str, error: ValueError, content: bytes, value: Any = None) -> None:
        """Keep what tells the place of the error, and what the file says if it could be read."""
        super().__init__(f"{name} is no workflow: {error}")
        self.name = name
        self.error = error
        self.content = content
        self.value = value


@dataclass(frozen=True, slots=True)
class Source:
    """A workflow as a file holds it."""

    name: str
    """Of the file, for messages."""
    content: bytes
    value: Any
    """All that the file says."""
    document: Document
    """The workflow as the API takes it: unknown keys dropped, empty lists and texts left out."""


def read(name: str, content: bytes, *, alone: bool = False) -> Source:
    """Read JSON, or else YAML. Raises InvalidFile for a file that is neither, or that holds no workflow.

    With ``alone`` also for one that holds nothing, or several documents in YAML, of which the first counts otherwise.
    """
    found: ValueError | None
    try:
        value = gojson.decode(content, unique=True)
        return Source(name, content, value, _workflow(value, needed=alone))
    except gojson.RepeatedKey as exc:
        found, content = exc, content.replace(b"\t", b" ")  # so JSON is YAML, which can tell the lines
    except NoWorkflow as exc:
        found = None if isinstance(value, dict) else exc  # as YAML, which has no numbers, it may be one
    except ValueError:
        found = None  # then it should be YAML
    from wfx.commandline import plain_yaml  # slow to import, and not needed for JSON

    value = None
    try:
        value = plain_yaml.load(content, alone=alone)
        return Source(name, content, value, _workflow(value, needed=alone))
    except ValueError as exc:
        error = exc if isinstance(exc, plain_yaml.RepeatedKey) else found or exc
        raise InvalidFile(name, error, content, value) from exc


def normal(value: Any) -> Document:
    """Return a workflow of an answer as :func:`read` returns those of files. Raises Failure for what is none."""
    try:
        return _workflow(value, needed=True)
    except NoWorkflow as exc:
        raise Failure(f"the answer is no workflow: {exc}") from exc


def _workflow(value: Any, *, needed: bool) -> Document:
    if value is None and needed:
        raise NoWorkflow("it is empty")
    members = _members(value)
    document = {
        "name": _text(members, "name"),
        "description": _text(members, "description"),
        "states": [_some(_members(state), "name", optional=("description",)) for state in _list(members, "states")],
        "transitions": [
            _some(_members(transition), "from", "to", "eligible", optional=("action", "description"))
            for transition in _list(members, "transitions")
        ],
        "groups": [_group(_members(group)) for group in _list(members, "groups")],
    }
    return {key: value for key, value in document.items() if value or key == "name"}


def _group(members: Mapping[str, Any]) -> Document:
    states = [_string(state) for state in _list(members, "states")]
    return _some(members, "name", optional=("description",)) | {"states": states}


def _some(members: Mapping[str, Any], *required: str, optional: tuple[str, ...]) -> Document:
    present = {key: text for key in optional if (text := _text(members, key))}
    return {key: _text(members, key) for key in required} | present


def _members(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict | None):
        raise NoWorkflow(f"there should be keys and values, not {_kind(value)}")
    return value or {}


def _list(members: Mapping[str, Any], key: str) -> list[Any]:
    value = members.get(key)
    if not isinstance(value, list | None):
        raise NoWorkflow(f"{key} should be a list, not {_kind(value)}")
    return value or []


def _text(members: Mapping[str, Any], key: str) -> str:
    value = members.get(key)
    return "" if value is None else _string(value, key)


def _string(value: Any, what: str = "a state of a group") -> str:
    if not isinstance(value, str):
        raise NoWorkflow(f"{what} should be a text, not {_kind(value)}")
    return value


def _kind(value: Any) -> str:
    return {dict: "keys and values", list: "a list", str: "a text", bool: "true or false"}.get(type(value), "a number")


def lenient(document: Document) -> Workflow:
    """Return the workflow, for a check of its logic or a drawing: words that the API does not know pass."""
    from wfx.domain.workflow import Actor, Group, State, Transition, Trigger, Workflow

    return Workflow(
        name=document["name"],
        description=document.get("description", ""),
        states=tuple(State(state["name"], state.get("description", "")) for state in document.get("states", ())),
        transitions=tuple(
            Transition(
                t["from"],
                t["to"],
                cast(Actor, _word(t["eligible"], Actor)),
                cast(Trigger | None, _word(t.get("action"), Trigger)),
            )
            for t in document.get("transitions", ())
        ),
        groups=tuple(
            Group(group["name"], tuple(group["states"]), group.get("description", ""))
            for group in document.get("groups", ())
        ),
    )


def _word(text: str | None, words: type[StrEnum]) -> StrEnum | str | None:
    return next((word for word in words if word == text), text)
