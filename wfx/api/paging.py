"""Pages of results: paging from query parameters, and the JSON around a page (rest-api sections 4.6 and 6)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from starlette.responses import Response

from wfx.api.call import Call
from wfx.api.large_answers import Read, page_reply, read_page
from wfx.domain import job_json
from wfx.domain.json import Json
from wfx.domain.query import Paging

Item = TypeVar("Item")


def paging_of(query: dict[str, Any]) -> Paging:
    """Read the part of the result that was asked for."""
    return Paging(
        offset=query["offset"], limit=query["limit"], descending=query["sort"] == "desc", with_total=query["pagination"]
    )


async def write_page(call: Call, read: Read[Item], paging: Paging, write: Callable[[Item], Json]) -> Response:
    """Read a page and answer with it; limit and offset come back as they were asked for. Raises TooManyAnswers."""
    page = await read_page(call, read)
    return page_reply(call, page, write, job_json.around_page(paging, page.total))
