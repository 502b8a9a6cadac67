"""Lists of the fleet API: jobs by conditions that it alone knows, page by page."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from wfxctl import selections
from wfxctl.documents import Document, items, text
from wfxctl.failures import Unreachable
from wfxctl.invocation import ClientInvocation, decoded
from wfxctl.job_filters import escaped
from wfxctl.targets import FLEET_PATH, Side

_PAGE = 1000


def listed(call: ClientInvocation, *, sort: str = "asc", limit: int = 0) -> Iterator[Document]:
    """Yield the rows of the jobs that the command line selects, so many at most unless that is 0."""
    api, left = call.api(Side.NORTH, base=FLEET_PATH), limit
    query = [(name, _joined(value)) for name, value in _conditions(call).items()] + [("sort", sort)]
    after, seen = "", set[str]()
    while True:
        page = [("limit", str(min(left, _PAGE) if limit else _PAGE)), *([("after", after)] if after else [])]
        answer = decoded(api.fetch("GET", "/jobs", [*query, *page]))
        rows = [row for row in items(answer, "content") if isinstance(row, dict)]
        yield from rows[:left] if limit else rows
        left -= len(rows)
        after = text(answer, "next")
        if not after or (limit and left <= 0):
            return
        if after in seen:
            raise Unreachable("the server tells the same page again and again")
        seen.add(after)


def as_job(row: Document) -> Document:
    """Return a row in the shape that jobs have elsewhere, with the group of its state beside."""
    status = {name: row[name] for name in ("state", "progress", "message") if name in row}
    rest = {name: value for name, value in row.items() if name not in status}
    return rest | {"status": status, "workflow": {"name": text(row, "workflow")}}


def _conditions(call: ClientInvocation) -> dict[str, Any]:
    return selections.selection_of(call.settings, selections.OPTIONS, time.time())


def _joined(value: Any) -> str:
    return ",".join(map(escaped, value)) if isinstance(value, list) else str(value)
