"""Events of what rules have done: they tell which rule it was."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.domain.samples import PRESS
from wfx.domain import job_json
from wfx.domain.cause import Cause
from wfx.domain.job import Action, Event
from wfx.domain.json import encode
from wfx.domain.timestamp import Timestamp


@pytest.mark.parametrize(("cause", "shown"), [
    (Cause("r", "south", "rule:roll_back", 4711, 2), {"rule": "roll_back", "root": 4711, "depth": 2}),
    (Cause("r", "north", "rule:award"), {"rule": "award", "depth": 0}),
    (Cause("r", "north"), None),
    (Cause('"rule:x', "north"), None),
    (Cause('"rule:x', "north", "retention"), None),
    (Cause("r", "north", "rul"), None),
])  # fmt: skip
def test_the_cause_is_shown_where_a_rule_is_it(cause: Cause, shown: dict[str, Any] | None) -> None:
    """An event that a rule has brought about names it, with the root of the chain; other events are as ever."""
    payload = encode({"id": "j", "clientId": "c"})
    event = Event(9, Timestamp(0), Action.DELETE, "j", "c", PRESS, payload, "A", cause.encoded)
    document = json.loads(job_json.event(event))
    assert document.pop("cause", None) == shown
    assert list(document) == ["ctime", "action", "job", "tags"]
