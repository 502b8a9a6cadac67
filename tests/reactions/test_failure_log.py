"""Actions that are not taken do not fill the log."""

from __future__ import annotations

import pytest

from wfx.reactions.failure_log import MOST_A_SECOND, FailureLog


def test_so_many_a_second(caplog: pytest.LogCaptureFixture) -> None:
    """Of many failures of a second some have a record; how many others there were is told when there is room again."""
    now = 7.0
    log = FailureLog(lambda: now)
    for number in range(MOST_A_SECOND + 30):
        log.note({"number": number})
    assert len(caplog.records) == MOST_A_SECOND
    now = 8.0
    log.note({"number": "last"})
    told, last = caplog.records[MOST_A_SECOND:]
    assert (told.getMessage(), told.__dict__["fields"]) == ("more actions of rules were not taken", {"count": 30})
    assert last.__dict__["fields"] == {"number": "last"}
