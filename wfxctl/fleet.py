"""The fleet API, as all commands that need it ask it: one failure for servers without it, lists page by page."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any

from wfx.commandline.failures import Failure
from wfxctl import gojson, pages
from wfxctl.documents import Document, items, member, text
from wfxctl.failures import RefusedByServer
from wfxctl.invocation import ClientInvocation, Query, decoded
from wfxctl.targets import FLEET_PATH, Side

_LOOKED_AT = ("clientIdPrefix", "createdAfter", "createdBefore", "modifiedAfter", "modifiedBefore", "unchangedFor")
"""Conditions of which no counts are kept."""
_MOST_PAGES = 10
"""Pages that are read to count what the server has no count of."""
_FEW = 50_000
"""Jobs that are counted one by one in some hundredths of a second."""

if TYPE_CHECKING:  # the HTTP library is imported when the first connection is made
    from wfxctl.client import Api


def api_of(call: ClientInvocation) -> Api:
    """Return the API of the configured server."""
    return call.api(Side.NORTH, base=FLEET_PATH)


def fetch(api: Api, method: str, path: str, query: Query = (), body: bytes | None = None) -> Any:
    """Return the decoded answer. Raises Failure for a server that has no such API, RefusedByServer, Unreachable."""
    try:
        return decoded(api.fetch(method, path, query, body))
    except RefusedByServer as exc:
        raise explained(exc) from exc


def explained(exc: Failure) -> Failure:
    """Return the failure that says so where the server has no fleet API; any other one as it is."""
    if not isinstance(exc, RefusedByServer):
        return exc
    from wfx.client.errors import NO_FLEET_API, lacks_fleet_api  # only failures need it

    errors = items(problem(exc), "errors")
    code = text(errors[0], "code") if errors else ""
    return Failure(NO_FLEET_API) if lacks_fleet_api(exc.status, code) else exc


def problem(exc: RefusedByServer) -> Any:
    """Return the document that tells why a request was refused; None if there is none."""
    try:
        return gojson.decode(exc.body)
    except ValueError:
        return None


def pages_of(call: ClientInvocation, path: str, query: Query) -> Iterator[tuple[Document, list[Document]]]:
    """Return the pages of a list, each with its rows."""
    return pages.pages(partial(fetch, api_of(call), "GET", path), query)


@dataclass(frozen=True, slots=True)
class FirstRows:
    """The first rows of a list."""

    rows: list[Document]
    has_more: bool | None = False
    """Whether there are others; None where that would have to be looked for."""


def first_rows(call: ClientInvocation, path: str, query: Query, limit: int, *, ahead: bool) -> FirstRows:
    """Return so many rows of a list at most, all if that is 0; ``ahead`` looks whether another one follows."""
    if limit <= 0:
        return FirstRows([row for _, rows in pages_of(call, path, query) for row in rows])
    found, read = list[Document](), pages.pages(partial(fetch, api_of(call), "GET", path), query, limit + ahead)
    for page, rows in read:
        found += rows
        if len(found) >= limit:
            return FirstRows(found[:limit], len(found) > limit or (None if text(page, "next") else False))
    return FirstRows(found)


def count_rows(call: ClientInvocation, path: str, query: Query) -> tuple[int, bool]:
    """Count the rows of a list, and tell whether that is all of them: only its first pages are read."""
    count, is_all = 0, False
    with suppress(Failure):  # the list is shown all the same
        for page, rows in islice(pages_of(call, path, query), _MOST_PAGES):
            count, is_all = count + len(rows), not text(page, "next")
    return count, is_all


def count_of_jobs(call: ClientInvocation, conditions: Query) -> int | None:
    """Return how many jobs meet the conditions; None if it is not known, or takes long to count.

    Counts are kept, but for conditions under which the server looks at each job that the others leave.
    """
    api = api_of(call)
    held = [(name, value) for name, value in conditions if name not in _LOOKED_AT]
    try:
        total = _total(api, held)
        if total is not None and held != [*conditions]:
            total = _total(api, conditions) if total <= _FEW else None
    except Failure:  # the list is shown all the same
        return None
    return total


def _total(api: Api, conditions: Query) -> int | None:
    total = member(fetch(api, "GET", "/jobs/summary", conditions), "total")
    return int(total) if isinstance(total, float) else None


def as_job(row: Document) -> Document:
    """Return a row of the list of jobs in the shape that jobs have elsewhere, with the group of its state beside."""
    status = {name: row[name] for name in ("state", "progress", "message") if name in row}
    rest = {name: value for name, value in row.items() if name not in status}
    return rest | {"status": status, "workflow": {"name": text(row, "workflow")}}
