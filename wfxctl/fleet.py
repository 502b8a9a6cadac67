"""The fleet API, as all commands that need it ask it: one failure for servers without it, lists page by page."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from wfx.commandline.failures import Failure
from wfxctl import gojson, pages
from wfxctl.documents import Document, items, text
from wfxctl.failures import RefusedByServer
from wfxctl.invocation import ClientInvocation, Query, decoded
from wfxctl.targets import FLEET_PATH, Side

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


def rows(call: ClientInvocation, path: str, query: Query, limit: int = 0) -> Iterator[Document]:
    """Return the rows of a list, so many at most unless that is 0."""
    return pages.rows(partial(fetch, api_of(call), "GET", path), query, limit)


def as_job(row: Document) -> Document:
    """Return a row of the list of jobs in the shape that jobs have elsewhere, with the group of its state beside."""
    status = {name: row[name] for name in ("state", "progress", "message") if name in row}
    rest = {name: value for name, value in row.items() if name not in status}
    return rest | {"status": status, "workflow": {"name": text(row, "workflow")}}
