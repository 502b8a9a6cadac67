"""Checks a workflow file by the server's rules, and tells the line of each fault."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

import jsonschema_rs

from wfx.commandline import plain_yaml
from wfx.commandline.grammar import closest
from wfx.domain import validation
from wfx.domain.validation import Fault
from wfx.spec_files import find
from wfxctl import workflow_file
from wfxctl.workflow_file import InvalidFile

if TYPE_CHECKING:
    from yaml.nodes import Node

_LONGEST = 300
_PARTS = {"states": "state", "transitions": "transition", "groups": "group"}


def faults(source: workflow_file.Source) -> list[str]:
    """Return what is wrong with a workflow, each with its place, in the order of the file; nothing if all is well."""
    workflow = workflow_file.lenient(source.document)
    found = [*_syntax({} if source.value is None else source.value), *validation.faults(workflow)]
    return _placed(source.name, source.content, found)


def faults_of_invalid(file: InvalidFile) -> list[str]:
    """Return why a file could not be read as a workflow, each fault with its place."""
    match file.error:
        case plain_yaml.RepeatedKey(line=line, column=column, problem=problem):
            return [f"{file.name}:{line}:{column}: {_short(problem)}"]
        case plain_yaml.InvalidYaml(line=line, column=column, problem=problem) if line:
            return [f"{file.name}:{line}:{column}: invalid YAML: {_short(problem)}"]
        case workflow_file.NoWorkflow() if isinstance(file.value, dict):
            return _placed(file.name, file.content, _syntax(file.value))
        case _:
            return [str(file)]


def _placed(name: str, content: bytes, found: Iterable[Fault]) -> list[str]:
    node = _lines(content)
    placed = [(plain_yaml.line_and_column_at(node, fault.place), fault.text) for fault in found]
    placed.sort(key=lambda pair: pair[0])  # stable: at one place, as the rules come
    shown = (f"{name}:{line}:{column}" if node else name for (line, column), _ in placed)
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
    try:
        document = _without_nothing(value)
    except RecursionError:
        yield Fault("a part of it contains itself", ())
        return
    for error in validator.iter_errors(document):
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
