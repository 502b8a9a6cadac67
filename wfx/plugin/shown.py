"""Requests as plugins are shown them (server section 11.4)."""

from __future__ import annotations

from urllib.parse import quote

from starlette.types import Scope

from wfx.host_port import host_port
from wfx.plugin.client_certificate_headers import with_certificate_headers
from wfx.plugin.message import NO_ORIGIN, Action, Origin, PluginRequest, ShownSide
from wfx.plugin.rewrite import grouped
from wfx.request_context import Side, current

NOT_SHOWN = frozenset({b"host", b"transfer-encoding"})
_PRINTABLE = "".join(map(chr, range(0x21, 0x7F)))
_SIDES = {Side.NORTH: ShownSide.NORTH, Side.SOUTH: ShownSide.SOUTH}


def shown_scope(scope: Scope) -> Scope:
    """Give the scope as plugins and the router see it: with the client's certificate, and a plain path and query."""
    context = current()
    return with_certificate_headers(_ascii(scope), context.certificate if context is not None else None)


def shown_request(scope: Scope, body: bytes) -> PluginRequest:
    """Describe the request of such a scope."""
    destination = scope["raw_path"]
    if scope["query_string"]:
        destination += b"?" + scope["query_string"]
    headers = grouped(field for field in scope["headers"] if field[0] not in NOT_SHOWN)
    return PluginRequest(destination, Action.of(scope["method"]), headers, body, _origin(scope))


def _origin(scope: Scope) -> Origin:
    context = current()
    if context is None:
        return NO_ORIGIN
    peer = scope.get("client")
    return Origin(
        scope["method"].encode("latin-1"),
        host_port(*peer).encode() if peer else b"",
        _SIDES[context.side],
        context.request_id.encode(),
        context.certificate,
    )


def _ascii(scope: Scope) -> Scope:
    """Escape bytes that have no place in a URL (HTTP/2 lets them through), so that plugins and router see the same."""
    path, query = scope["raw_path"], scope["query_string"]
    if path.isascii() and query.isascii():
        return scope
    escaped = (quote(part, safe=_PRINTABLE).encode() for part in (path, query))
    return {**scope, **dict(zip(("raw_path", "query_string"), escaped, strict=True))}
