"""ASGI app of the pages under ``/debug``; where they are off, nothing is there."""

from __future__ import annotations

import orjson
from starlette.types import Receive, Scope, Send

from wfx.api.app import no_such_path
from wfx.api.reply import RawHeader, Reply, json_reply, method_not_allowed, text_reply
from wfx.config.tunables import Derived, Holder, Tunables
from wfx.diagnostics.access import Access
from wfx.diagnostics.pages import PAGES, Subjects
from wfx.domain.errors import StoreError

_FRESH: RawHeader = (b"cache-control", b"no-store")


class Diagnostics:
    """Answers requests for the paths below the prefix that it is mounted at."""

    def __init__(self, tunables: Holder[Tunables], subjects: Subjects) -> None:
        """Tell about these subjects to whom the tunables allow to know."""
        self._access = Derived(tunables, Access)
        self._subjects = subjects

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        await (await self._reply(scope))(scope, receive, send)

    async def _reply(self, scope: Scope) -> Reply:
        access = self._access.current
        if not access.enabled:
            return no_such_path(scope)
        if (refusal := access.refusal(scope)) is not None:
            return refusal
        page = PAGES.get(scope["raw_path"].decode("latin-1").removeprefix(scope["root_path"]))
        if page is None:
            return no_such_path(scope)
        if scope["method"] not in ("GET", "HEAD"):
            return method_not_allowed("GET, HEAD")
        try:
            document = await page(self._subjects)
        except StoreError as exc:
            return text_reply(503, str(exc))
        return json_reply(orjson.dumps(document, option=orjson.OPT_INDENT_2), 200, (_FRESH,))
