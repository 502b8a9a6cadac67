"""How answers are looked at: what a response filter leaves of them, and the order of the times in them."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from itertools import pairwise
from typing import Any

from tests.acceptance.model import Document

CUTS: dict[str, Callable[[Any], list[Any]]] = {
    "": lambda answer: [answer],
    ".": lambda answer: [answer],
    "[.,1]": lambda answer: [[answer, 1]],
    "del(.context)": lambda answer: [_without_context(answer)],
    "empty": lambda _: [],
}
"""Response filters, and what is left of an answer; the empty one stands for no filter at all."""


def _without_context(answer: Any) -> Any:
    if isinstance(answer, list):
        return {}  # an error, in whose place an empty object stands
    return answer and {name: member for name, member in answer.items() if name != "context"}


def decoded(text: str) -> Any:
    """Decode JSON; -0 stays negative."""
    return json.loads(text, parse_int=float)


class Times:
    """Takes the times out of what is shown of jobs, and looks at their order."""

    def __init__(self) -> None:
        self._started: dict[str, datetime] = {}
        self._seen: dict[str, datetime] = {}

    def take(self, job: Document) -> list[datetime]:
        """Return when the job was created and changed, as far as its history is shown; oldest first."""
        started, changed = (datetime.fromisoformat(job.pop(name)) for name in ("stime", "mtime"))
        assert self._started.setdefault(job["id"], started) == started
        assert self._seen.get(job["id"], started) <= changed, "a job's time never goes back"
        self._seen[job["id"]] = changed
        past = [datetime.fromisoformat(entry.pop("mtime")) for entry in job.get("history", ())]
        order = [*past[::-1], changed]
        assert all(earlier < later for earlier, later in pairwise(order))
        assert not past or past[-1] == started, "the oldest entry shows the job as it was created"
        return order

    def take_all(self, answer: Document) -> None:
        """Take the times out of a list."""
        for job in answer["content"]:
            self.take(job)
