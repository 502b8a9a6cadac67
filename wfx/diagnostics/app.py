"""ASGI app of the pages under ``/debug``; where they are off, nothing is there."""

from __future__ import annotations

import json

from starlette.types import Receive, Scope, Send

from wfx.api.app import no_such_path
from wfx.api.reply import NO_STORE, Reply, json_reply, method_not_allowed, refused_method, text_reply
from wfx.config.tunables import Derived, Holder, Tunables
from wfx.diagnostics.access import Access
from wfx.diagnostics.pages import PAGES
from wfx.diagnostics.sources import DebugSources
from wfx.domain.errors import StoreError

_RUN = "/processes/"
"""Before the number of a run."""
_DIGITS = 16


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
        path = scope["raw_path"].decode("latin-1").removeprefix(scope["root_path"])
        if (number := _number_of(path)) is not None:
            return await self._end(scope, number)
        return await self._shown(scope, path)

    async def _shown(self, scope: Scope, path: str) -> Reply:
        page = PAGES.get(path)
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

    async def _end(self, scope: Scope, number: int) -> Reply:
        """End the run of a script."""
        if scope["method"] != "DELETE":
            return method_not_allowed("DELETE")
        has_ended, silent = await self._sources.running_scripts.end(number)
        if has_ended:
            return Reply(204)
        if silent:
            workers = ", ".join(map(str, silent))
            return text_reply(503, f"no script is known to run under the number {number}, but these workers did not "
                              f"answer: {workers}; try again")  # fmt: skip
        return text_reply(404, f"no script runs in this server under the number {number}: see /debug/processes")


def _number_of(path: str) -> int | None:
    """Return the number of the run that a path names; None if it names none."""
    number = path.removeprefix(_RUN)
    is_one = path != number and number.isascii() and number.isdigit() and len(number) <= _DIGITS
    return int(number) if is_one else None
