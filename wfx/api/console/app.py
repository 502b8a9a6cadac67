"""ASGI apps of the console: its files, and its page for every other path below ``/ui/``."""

from __future__ import annotations

from starlette.types import Receive, Scope, Send

from wfx.api.console import assets, codings
from wfx.api.console.assets import Asset, Assets
from wfx.api.reply import NO_STORE, NOSNIFF, RawHeader, Reply, refused_method, text_reply

_PREFIX = b"/ui/"
_BASE = "{{base}}"
_POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    b"font-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_SAFE: tuple[RawHeader, ...] = (
    (b"content-security-policy", _POLICY),
    NOSNIFF,
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
_HTML: RawHeader = (b"content-type", b"text/html; charset=utf-8")
_YEAR: RawHeader = (b"cache-control", b"public, max-age=31536000, immutable")
_DAY: RawHeader = (b"cache-control", b"public, max-age=86400")
_VARY: RawHeader = (b"vary", b"Accept-Encoding")
_NOT_BUILT = (
    "the console is not part of this installation: build it with `make console` in a clone of the sources, or install "
    "what `make wheel`, `make deb` or `make container` builds"
)


class Console:
    """Serves ``/ui`` and everything below it: files by their names, and the page for any other path."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        reply = refused_method(scope) or _found(scope)
        await reply(scope, receive, send)


async def favicon(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the logo, which browsers ask for here."""
    built = assets.built_assets()
    if scope["raw_path"] != scope["root_path"].encode() or built is None:
        reply = refused_method(scope) or Reply(404)
    else:
        reply = refused_method(scope) or _file(built.files[assets.LOGO], scope)
    await reply(scope, receive, send)


def _found(scope: Scope) -> Reply:
    path: bytes = scope["raw_path"]
    built = assets.built_assets()
    if built is None:
        return text_reply(404, _NOT_BUILT, (NO_STORE,))
    if path + b"/" == _PREFIX:
        return Reply(301, headers=((b"location", b"ui/"),))  # relative, for gateways that put a prefix before it
    below = path.removeprefix(_PREFIX)
    file = built.files.get(below)
    return _page(built, below) if file is None else _file(file, scope)


def _page(built: Assets, below: bytes) -> Reply:
    """Answer with the page, whose links are relative, since a gateway may put a prefix before the path."""
    way_up = "./" + "../" * min(below.count(b"/"), 64)
    return Reply(200, built.index.replace(_BASE, way_up).encode(), (_HTML, NO_STORE, *_SAFE))


def _file(file: Asset, scope: Scope) -> Reply:
    fields: dict[bytes, bytes] = dict(scope["headers"])
    coding = codings.chosen(fields.get(b"accept-encoding", b""), file.forms)
    tag = b'"%s-%s"' % (file.tag, coding)
    headers = [(b"etag", tag), _VARY, _YEAR if file.lasting else _DAY, *_SAFE]
    if tag in fields.get(b"if-none-match", b""):
        return Reply(304, headers=headers)
    if coding != b"identity":
        headers.append((b"content-encoding", coding))
    return Reply(200, file.forms[coding], ((b"content-type", file.media_type), *headers))
