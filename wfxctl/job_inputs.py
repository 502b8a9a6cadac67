"""Files of jobs to be created, and of clients to create jobs for."""

from __future__ import annotations

from collections.abc import Iterator
from json import JSONDecodeError
from typing import Any

from wfx.commandline.failures import Failure
from wfxctl import gojson
from wfxctl.documents import Document

ENDINGS = ("yaml", "yml", "json", "ndjson", "jsonl")
_LINES = (".ndjson", ".jsonl")
_OF_ALL: dict[str, type] = {"workflow": str, "definition": dict, "tags": list}
_OF_ONE: dict[str, type] = {"clientId": str, **_OF_ALL, "variables": dict}
_KINDS: dict[type, str] = {str: "a text", dict: "keys and values", list: "a list"}


def clients(name: str, content: bytes) -> list[Document]:
    """Return a job for each line, which is the id of a client. Raises Failure for one that is there twice."""
    found: dict[str, int] = {}
    for number, client in enumerate(_text(name, content).splitlines(), 1):
        if not client.strip():
            continue
        if (before := found.setdefault(client.strip(), number)) != number:
            raise Failure(f'{name}: client "{client.strip()[:100]}" is in lines {before} and {number}')
    return [{"clientId": client} for client in found]


def jobs(name: str, content: bytes) -> tuple[Document, list[Document]]:
    """Return what the jobs of a file have in common, and the jobs. Raises Failure for a file that is none of jobs."""
    if name == "-" or name.endswith(_LINES):
        shown = "standard input" if name == "-" else name
        lines = [(n, line) for n, line in enumerate(_text(name, content).split("\n"), 1) if line.strip()]
        return {}, [_checked(f"{shown}:{n}", _decoded(shown, line, n), _OF_ONE) for n, line in lines]
    document = _decoded(name, _text(name, content)) if name.endswith(".json") else _yaml(name, content)
    if isinstance(document, list):
        return {}, list(_numbered(name, document))
    found = dict(_checked(name, document, {**_OF_ALL, "jobs": list}))
    return found, list(_numbered(name, found.pop("jobs", [])))


def _numbered(name: str, found: list[Any]) -> Iterator[Document]:
    for number, job in enumerate(found, 1):
        yield _checked(f"{name}: job {number}", job, _OF_ONE)


def _checked(place: str, job: Any, members: dict[str, type]) -> Document:
    """Return keys and values as they are. Raises Failure for members that there are not, or that are of other kinds."""
    if not isinstance(job, dict):
        raise Failure(f"{place}: there should be keys and values, such as clientId and workflow")
    for key, value in job.items():
        if key not in members:
            raise Failure(f'{place}: there is no member "{str(key)[:100]}", only {", ".join(members)}')
        if not isinstance(value, members[key]):
            raise Failure(f"{place}: {key} should be {_KINDS[members[key]]}")
    if "clientId" in members and not job.get("clientId"):
        raise Failure(f"{place}: clientId is missing")
    return job


def _decoded(name: str, text: str, line: int = 1) -> Any:
    """Decode JSON that begins in this line. Raises Failure."""
    try:
        return gojson.decode(text, unique=True)
    except JSONDecodeError as exc:
        raise Failure(f"{name}:{line + exc.lineno - 1}:{exc.colno}: invalid JSON: {exc.msg}") from exc
    except ValueError as exc:
        raise Failure(f"{name}:{line}: {exc}") from exc


def _yaml(name: str, content: bytes) -> Any:
    from wfx.commandline.plain_yaml import InvalidYaml  # slow to import, and only this form needs it
    from wfxctl import json_yaml

    try:
        return json_yaml.load(content)
    except InvalidYaml as exc:
        place = f"{name}:{exc.line}:{exc.column}" if exc.line else name
        raise Failure(f"{place}: invalid YAML: {exc.problem}") from exc


def _text(name: str, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")  # editors of some systems begin files with a byte order mark
    except UnicodeDecodeError as exc:
        raise Failure(f"{name} is not UTF-8: {exc.reason}") from exc
