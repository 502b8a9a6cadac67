"""Answer with the content of a file, whole or in ranges, sent piece by piece."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from starlette.types import Receive, Send

from wfx.api.answer_memory import Share
from wfx.api.downloads.files import OpenFile
from wfx.api.downloads.ranges import Range
from wfx.api.downloads.read_pool import ReadPool
from wfx.api.reply import RawHeader
from wfx.api.request import wait_for_disconnect

PIECE = 64 * 1024
"""Bytes that are read and sent at once."""
_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Part:
    """A range of the file, and what stands before it."""

    head: bytes
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class FileAnswer:
    """What is answered: parts of a file, and what stands behind the last."""

    status: int
    headers: Sequence[RawHeader]
    """What it is; without the length."""
    parts: Sequence[Part]
    tail: bytes = b""

    @property
    def head(self) -> list[RawHeader]:
        """The header fields that describe it."""
        return [*self.headers, (b"content-length", b"%d" % self.length)]

    @property
    def length(self) -> int:
        """Its size in bytes."""
        return sum(len(part.head) + part.end - part.start for part in self.parts) + len(self.tail)


def answer_for(size: int, media_type: bytes, ranges: Sequence[Range] | None) -> FileAnswer:
    """Make the answer for a file of this size and type, of which these ranges are wanted; None for all of it."""
    plain = (b"content-type", media_type)
    if ranges is None:
        return FileAnswer(200, [plain], [Part(b"", 0, size)])
    if len(ranges) == 1:
        [(start, end)] = ranges
        return FileAnswer(206, [plain, (b"content-range", _place(start, end, size))], [Part(b"", start, end)])
    boundary = secrets.token_hex(30).encode()
    parts: list[Part] = []
    for start, end in ranges:
        between = b"\r\n" if parts else b""
        lines = b"Content-Range: %b\r\nContent-Type: %b\r\n" % (_place(start, end, size), media_type)
        head = b"%b--%b\r\n%b\r\n" % (between, boundary, lines)
        parts.append(Part(head, start, end))
    several = (b"content-type", b"multipart/byteranges; boundary=" + boundary)
    return FileAnswer(206, [several], parts, b"\r\n--%b--\r\n" % boundary)


def _place(start: int, end: int, size: int) -> bytes:
    return b"bytes %d-%d/%d" % (start, end - 1, size)


class Sender:
    """Sends an answer to one client, as fast as the client takes it."""

    def __init__(self, file: OpenFile, pool: ReadPool, share: Share) -> None:
        """Read from the file in these threads; hold a share of the memory for pieces."""
        self._file = file
        self._pool = pool
        self._share = share

    async def send(self, answer: FileAnswer, headers: Sequence[RawHeader], receive: Receive, send: Send) -> None:
        """Send it, with these header fields too. If the file cannot be read to its end the connection is closed.

        Raises TooManyAnswers, before anything is sent, if there is no memory for a piece.
        """
        await self._share.hold(PIECE)
        try:
            head = [*answer.head, *headers]
            await send({"type": "http.response.start", "status": answer.status, "headers": head})
            await self._send_parts(answer, send)
        except (OSError, EOFError) as exc:
            _logger.warning("a download is broken off: %s", exc)
            self._share.cut()
            await wait_for_disconnect(receive)
        else:
            await send({"type": "http.response.body", "body": answer.tail, "more_body": False})
        finally:
            self._share.release()

    async def _send_parts(self, answer: FileAnswer, send: Send) -> None:
        for part in answer.parts:
            if part.head:
                await self._send_piece(part.head, send)
            offset = part.start
            while offset < part.end:
                piece = await self._pool.run(self._file.read, offset, min(PIECE, part.end - offset))
                if not piece:
                    raise EOFError("the file is shorter than it was")
                offset += len(piece)
                await self._send_piece(piece, send)

    async def _send_piece(self, piece: bytes, send: Send) -> None:
        self._share.sending_since = asyncio.get_running_loop().time()
        await send({"type": "http.response.body", "body": piece, "more_body": True})
        self._share.sending_since = None
