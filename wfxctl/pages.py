"""Lists of a server, read page by page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from wfxctl.documents import Document, items, text
from wfxctl.failures import Unreachable
from wfxctl.invocation import Query

_MOST = 1000
"""Rows of a page, at most."""
Fetch = Callable[[Query], Any]
"""Returns the decoded answer to a query."""


def pages(fetch: Fetch, query: Query, limit: int = 0) -> Iterator[tuple[Document, list[Document]]]:
    """Yield the pages of a list and the rows of each, so many rows at most unless that is 0.

    Pages may be empty and have others behind them. Raises Unreachable for a server that tells the same one repeatedly.
    """
    left, after, read = limit, "", set[str]()
    while True:
        place = [("limit", str(min(left, _MOST) if limit else _MOST)), *([("after", after)] if after else [])]
        answer = fetch([*query, *place])
        found = [row for row in items(answer, "content") if isinstance(row, dict)]
        yield answer if isinstance(answer, dict) else {}, found[:left] if limit else found
        left -= len(found)
        after = text(answer, "next")
        if not after or (limit and left <= 0):
            return
        if after in read:
            raise Unreachable("the server tells the same page again and again")
        read.add(after)


def rows(fetch: Fetch, query: Query, limit: int = 0) -> Iterator[Document]:
    """Yield the rows of a list, as :func:`pages` does."""
    for _, found in pages(fetch, query, limit):
        yield from found
