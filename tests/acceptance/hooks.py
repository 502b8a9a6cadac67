"""What Schemathesis checks beside its own checks; it loads this module in its own process."""

from __future__ import annotations

import json
from typing import Any

import schemathesis
from conformance import check_schema
from schemathesis import Case, CheckContext, HookContext, Response

REASONS = {"wfx.invalidRequest", "wfx.workflowNotFound", "wfx.workflowNotUnique", "wfx.workflowInvalid"}

UNSAID = {"/jobs:"}
"""Parts of paths where the schema does not say all that a body has to be."""


schemathesis.serializer.alias("text/javascript", "text/plain")


@schemathesis.hook
def filter_case(_: HookContext, case: Case[Any]) -> bool:
    """Leave out well-formed lists that cannot be sent: empty ones, and items with the comma that separates items."""
    lists = [(case.query or {}).get(name) for name in ("group", "tag", "allTags", "attribute", "label")]
    return not _is_well_formed(case) or all(value is None or _can_be_sent(value) for value in lists)


def _can_be_sent(value: object) -> bool:
    return isinstance(value, list) and value not in ([], [""]) and not any("," in str(item) for item in value)


@schemathesis.check
def reason_is_given(_: CheckContext, response: Response, case: Case[Any]) -> None:
    """A well-formed request is refused in JSON, with the reason why it is not possible; a malformed one in one line."""
    if response.status_code != 400:
        return
    kind = response.headers["content-type"][0]
    if kind == "application/json" and "error" in response.json():  # as the API of rules has it
        told = response.json()
        assert told["error"].isprintable()
        assert len(told.get("faults", ())) <= 128
        assert not _is_well_formed(case) or told["error"].startswith("event "), "well-formed, but refused"
    elif kind == "application/json":
        errors = response.json()["errors"]
        assert 1 <= len(errors) <= 128
        assert {error["code"] for error in errors} <= set(REASONS), errors
    elif kind == "application/problem+json":
        errors = response.json()["errors"]
        assert 1 <= len(errors) <= 128
        if (codes := {error["code"] for error in errors}) == {"wfx.invalidRequest"}:
            return
        assert codes == {"wfx.badRequest"}
        free = {"unchangedFor", "notSeenFor", "filter", "after"}  # the schema cannot say what these are
        unsaid = free & (case.query or {}).keys()
        headers = {name.lower() for name in case.headers or ()}
        unsaid |= headers & {"if-match", "if-none-match"}  # patterns of headers are made up badly
        unsaid |= {each for each in UNSAID if each in case.operation.path}
        assert unsaid or not _is_well_formed(case), "well-formed, but refused as malformed"
    else:
        assert kind == "text/plain; charset=utf-8", kind
        assert not _is_well_formed(case), "well-formed, but refused as malformed"
        assert response.text.count("\n") == 1, "one line"


@schemathesis.check
def events_are_as_documented(context: CheckContext, response: Response, case: Case[Any]) -> None:
    """Each block of a stream carries an event, an id, or both; OpenAPI 3.0 cannot describe streams."""
    del context, case
    if response.headers.get("content-type", [""])[0].startswith("text/event-stream"):
        for line in response.content.decode().split("\n"):
            name, _, value = line.partition(": ")
            assert name in ("", "id", "data"), line
            if name == "data":
                check_schema("JobEvent", json.loads(value))


def _is_well_formed(case: Case[Any]) -> bool:
    return case.meta is None or case.meta.generation.mode.is_positive
