"""Pages of results: from query parameters, and back to JSON (rest-api sections 4.6 and 6)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from wfx.api.reply import Reply, json_reply
from wfx.domain import wire
from wfx.domain.json import Json
from wfx.domain.query import Page, Paging

Item = TypeVar("Item")


def paging_of(query: dict[str, Any]) -> Paging:
    """Read the part of the result that was asked for."""
    return Paging(
        offset=query["offset"], limit=query["limit"], descending=query["sort"] == "desc", with_total=query["pagination"]
    )


def write_page(page: Page[Item], paging: Paging, write: Callable[[Item], Json]) -> Reply:
    """Answer with a page; limit and offset come back as they were asked for."""
    return json_reply(wire.page(map(write, page.items), paging, page.total))
