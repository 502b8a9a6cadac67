"""Large answers: read from the store and sent piece by piece."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from dataclasses import replace
from typing import Protocol, TypeVar

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from wfx.api.answer_memory import PIECE, SMALL, Share
from wfx.api.reply import JSON, RawHeader, Reply
from wfx.api.request import ApiRequest, wait_for_disconnect
from wfx.domain import job_json
from wfx.domain.errors import StoreError
from wfx.domain.job import Job
from wfx.domain.json import Json
from wfx.domain.query import Page, Paging, Rest
from wfx.store.protocol import NoRoom

Item = TypeVar("Item")
Read = Callable[[int], Awaitable[Page[Item]]]
"""Reads the beginning of a page, up to so many bytes."""


class ReadOn(Protocol):
    """Reads the next part of a page."""

    async def __call__(self, rest: Rest[Item], room: int) -> Page[Item]:
        """See :meth:`wfx.store.protocol.Store.read_on`."""


_SLICE = 64 * 1024
_SAFE = frozenset({"GET", "HEAD"})
_logger = logging.getLogger(__name__)


class TooLong(Exception):
    """An answer has more bytes than are wanted."""


class LargeReply(Response):
    """An answer that is sent piece by piece: the next is made when the client has taken the one before."""

    def __init__(
        self, share: Share, pieces: AsyncIterator[bytes], *, status: int = 200, length: int | None = None
    ) -> None:
        """Send these pieces, of ``length`` bytes together; None if that is not known."""
        self.status_code = status
        self.background = None
        self.length = length
        self.raw_headers: list[RawHeader] = [JSON]
        if length is not None:
            self.raw_headers.append((b"content-length", b"%d" % length))
        self._share = share
        self._pieces = pieces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it. If the store fails meanwhile the connection is closed: the answer must not be taken for complete."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        if scope["method"] != "HEAD":
            try:
                await self._send_pieces(send)
            except StoreError as exc:
                _logger.warning("a large answer is broken off: %s", exc)
                self._share.cut()
                await wait_for_disconnect(receive)
                return
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _send_pieces(self, send: Send) -> None:
        loop = asyncio.get_running_loop()
        async for piece in self._pieces:
            for part in _slices(piece):
                self._share.sending_since = loop.time()
                await send({"type": "http.response.body", "body": part, "more_body": True})
                self._share.sending_since = None
                await asyncio.sleep(0)  # lets others run: sending does not wait while the client takes all

    async def whole(self, limit: float) -> bytes:
        """Return all pieces joined. Raises TooLong, without reading the rest, if they exceed ``limit`` bytes."""
        if self.length is not None and self.length > limit:
            raise TooLong
        pieces: list[bytes] = []
        size = 0
        async for piece in self._pieces:
            pieces.append(piece)
            size += len(piece)
            if size > limit:
                raise TooLong
            self._share.kept = size
        return b"".join(pieces)


def _slices(piece: bytes) -> Iterator[bytes | memoryview]:
    if len(piece) <= _SLICE:
        return iter((piece,))
    view = memoryview(piece)
    return (view[start : start + _SLICE] for start in range(0, len(view), _SLICE))


async def document_reply(request: ApiRequest, document: bytes, status: int = 200) -> Response:
    """Answer with a document that is in memory. Raises TooManyAnswers, but not after a change."""
    if len(document) >= SMALL:
        return await parts_reply(request, (document,), status)
    if request.share is not None:
        request.share.release()
    return Reply(status, document + b"\n", (JSON,))


async def parts_reply(request: ApiRequest, parts: Iterable[bytes], status: int = 200) -> Response:
    """Answer with a document whose parts are in memory. Raises TooManyAnswers, but not after a change."""
    parts = (*parts, b"\n")
    length = sum(map(len, parts))
    if length <= SMALL:
        return await document_reply(request, b"".join(parts[:-1]), status)
    share = request.own_share()
    if request.scope["method"] in _SAFE:
        await share.hold(max(length, share.held))
    else:
        share.take(length)
    return LargeReply(share, _each(parts), status=status, length=length)


async def _each(parts: Iterable[bytes]) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def fetch_job(request: ApiRequest, beside: int = 0, limit: float = math.inf) -> Job:
    """Read the job that the request is about; a large one when there is room for it and for ``beside`` bytes more.

    Raises JobNotFound, TooManyAnswers, and TooLong if it has more bytes than ``limit``.
    """
    room = SMALL
    while True:
        try:
            return await request.services.jobs.get(request.path["id"], room)
        except NoRoom as exc:
            room = exc.size
            if room > limit:
                raise TooLong from exc
            await request.own_share().hold(room + beside)


async def read_page(request: ApiRequest, read: Read[Item]) -> Page[Item]:
    """Read the beginning of a page: all of a small one, else as soon as there is room. Raises TooManyAnswers."""
    share = request.own_share()
    beside = share.held
    if share.try_hold(beside + PIECE):
        page = await read(PIECE)
    else:
        page = await read(SMALL)
        if page.rest is None:
            return page
        await share.hold(beside + PIECE)
        page = await read(PIECE)
    total = page.total
    while page.rest is not None and not page.items:
        # Its first item is large: the answer does not begin before there is room for that.
        room = max(PIECE, page.rest.next_size)
        await share.hold(beside + room)
        page = await request.services.jobs.read_on(page.rest, room)
    return page if page.total == total else replace(page, total=total)


async def write_page(request: ApiRequest, read: Read[Item], paging: Paging, write: Callable[[Item], Json]) -> Response:
    """Read a page and answer with it; limit and offset come back as they were asked for. Raises TooManyAnswers."""
    page = await read_page(request, read)
    return page_reply(request, page, write, job_json.around_page(paging, page.total))


def page_reply(
    request: ApiRequest, page: Page[Item], write: Callable[[Item], Json], frame: tuple[bytes, bytes]
) -> Response:
    """Answer with the items of a page between the two parts of ``frame``, read as fast as the client takes them."""
    head, tail = frame
    share = request.own_share()
    if page.rest is None:
        body = b"%b%b%b\n" % (head, b",".join(map(write, page.items)), tail)
        if len(body) > SMALL:
            return LargeReply(share, _each((body,)), length=len(body))
        share.release()
        return Reply(200, body, (JSON,))
    pieces = _page_pieces(share, request.services.jobs.read_on, page, write, (head, b"%b\n" % tail))
    return LargeReply(share, pieces)


async def _page_pieces(
    share: Share, read_on: ReadOn, page: Page[Item], write: Callable[[Item], Json], frame: tuple[bytes, bytes]
) -> AsyncIterator[bytes]:
    yield frame[0]
    comma = b""
    while True:
        rest, piece = page.rest, b",".join(map(write, page.items))
        del page
        if piece:
            yield comma + piece
            comma = b","
        del piece
        if rest is None:
            break
        room = max(PIECE, rest.next_size)
        await share.hold(room, begun=True)
        page = await read_on(rest, room)
    yield frame[1]
