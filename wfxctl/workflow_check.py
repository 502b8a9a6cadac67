"""Checks a workflow file by the server's rules, and tells the line of each fault."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

import jsonschema_rs

from wfx.commandline import plain_yaml
from wfx.commandline.grammar import closest
from wfx.domain import validation
from wfx.domain.validation import Fault
from wfx.spec_files import find
from wfxctl import workflow_file

if TYPE_CHECKING:
    from yaml.nodes import Node

_LONGEST = 300
_PARTS = {"states": "state", "transitions": "transition", "groups": "group"}


def faults(source: workflow_file.Source) -> list[str]:
    """Return what is wrong with a workflow, each with its place, in the order of the file; nothing if all is well."""
    node = _lines(source.content)
    workflow = workflow_file.lenient(source.document)
    found = [*_syntax({} if source.value is None else source.value), *validation.faults(workflow)]
    placed = [(plain_yaml.line_at(node, fault.place), fault.text) for fault in found]
    placed.sort(key=lambda pair: pair[0])  # stable: within a line, as the rules come
    shown = (f"{source.name}:{line}" if node else source.name for line, _ in placed)
    return [f"{place}: {_short(text)}" for place, (_, text) in zip(shown, placed, strict=True)]


def _lines(content: bytes) -> Node | None:
    """Read once more as YAML, which knows lines. JSON is YAML but for tabs, and for what nobody writes by hand."""
    for text in (content, content.replace(b"\t", b" ")):
        try:
            return plain_yaml.load_with_lines(text)[1]
        except ValueError:
            pass
    return None


def _syntax(value: Any) -> Iterator[Fault]:
    validator = jsonschema_rs.Draft7Validator(_schema(), pattern_options=jsonschema_rs.RegexOptions())
    for error in validator.iter_errors(_without_nothing(value)):
        place = tuple(error.instance_path)
        match error.kind:
            case jsonschema_rs.ValidationErrorKind.AdditionalProperties(unexpected=keys):
                for key in keys:
                    hint = closest(key, _known(place))
                    yield Fault(f'unknown key "{key}", which the server would ignore{hint}', (*place, key))
            case _:
                member = f"{place[-1]}: " if place and isinstance(place[-1], str) else ""
                yield Fault(member + error.message, place)


def _known(place: tuple[str | int, ...]) -> list[str]:
    part = _schema()["definitions"][_PARTS[str(place[0])]] if place else _schema()
    return list(part["properties"])


def _without_nothing(value: Any) -> Any:
    """Leave out members that are null, as ``workflow create`` does."""
    if isinstance(value, dict):
        return {key: _without_nothing(item) for key, item in value.items() if item is not None}
    return [_without_nothing(item) for item in value] if isinstance(value, list) else value


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 100]}…{text[-100:]}"


@cache
def _schema() -> dict[str, Any]:
    schema: dict[str, Any] = json.loads(find("workflow.schema.json").read_bytes())
    return schema
