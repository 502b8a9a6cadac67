"""ASGI app of the pages under ``/debug``; where they are off, nothing is there."""

from __future__ import annotations

import json

from starlette.types import Receive, Scope, Send

from wfx.api.app import no_such_path
from wfx.api.reply import NO_STORE, Reply, json_reply, refused_method, text_reply
from wfx.config.tunables import Derived, Holder, Tunables
from wfx.diagnostics.access import Access
from wfx.diagnostics.pages import PAGES, DebugSources
from wfx.domain.errors import StoreError


class Diagnostics:
    """Answers requests for the paths below the prefix that it is mounted at."""

    def __init__(self, tunables: Holder[Tunables], sources: DebugSources) -> None:
        """Show these sources to whom the tunables allow to know."""
        self._access = Derived(tunables, Access)
        self._sources = sources

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
        if (refusal := refused_method(scope)) is not None:
            return refusal
        try:
            document = await page(self._sources)
        except StoreError as exc:
            return text_reply(503, str(exc))
        text = json.dumps(document, indent=2, ensure_ascii=False)
        return json_reply(text.encode("utf-8", "backslashreplace"), 200, (NO_STORE,))  # files' names may be no text
