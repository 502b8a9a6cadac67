from __future__ import annotations

from typing import Any

import pytest

from wfx.domain.job import Status
from wfx.domain.json import decode


@pytest.mark.parametrize(
    "document",
    [
        {"state": "A"},
        {"clientId": "c", "context": {}, "message": "m", "progress": 0, "state": "A"},
        {"context": {"lines": ["x"]}, "progress": -1, "state": "A"},
    ],
)
def test_status_is_shown_as_sent(document: dict[str, Any]) -> None:
    """A status shows what was sent, progress 0 and an empty context included."""
    assert decode(Status.from_wire({**document, "unknown": 1}).encoded) == document
