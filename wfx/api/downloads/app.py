"""ASGI app of the file server: finds what a path stands for, and answers with it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from types import TracebackType
from typing import Self
from urllib.parse import quote, unquote, unquote_to_bytes

from starlette.types import Receive, Scope, Send

from wfx.api import redirects
from wfx.api.answer_memory import AnswerMemory, Share, TooManyAnswers
from wfx.api.downloads import file_answer, listing, media_types, ranges
from wfx.api.downloads.conditions import Fields, Validators
from wfx.api.downloads.files import NoSuchFile, OpenFile, open_below
from wfx.api.downloads.read_pool import ReadPool
from wfx.api.reply import LATER, TEXT, RawHeader, Reply, method_not_allowed, text_reply
from wfx.api.request import abort_of
from wfx.config.tunables import Current, Tunables
from wfx.domain.json import encode

_OFF = {"code": 404, "message": "path /download is not served as simple file server is not enabled"}
_INDEX = b"index.html"
_MEMORY = 64 * 1024 * 1024
"""Bytes of files that were read and not yet taken by clients, over all downloads."""
_HTML = (b"content-type", b"text/html; charset=utf-8")
_RANGES: RawHeader = (b"accept-ranges", b"bytes")
_COMMON: tuple[RawHeader, ...] = (
    (b"x-content-type-options", b"nosniff"),
    # A page among the files may not act on the API as if it were the operator who looks at it.
    (b"content-security-policy", b"sandbox allow-downloads allow-popups allow-scripts"),
)
_logger = logging.getLogger(__name__)


class Downloads:
    """Serves the directory that is configured now, if one is."""

    def __init__(self, tunables: Current[Tunables]) -> None:
        """Read which directory at each use."""
        self._tunables = tunables
        self._pool = ReadPool()
        self._memory = AnswerMemory(_MEMORY)

    def __enter__(self) -> Self:
        """Use as a context manager to end the threads."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the threads."""
        self._pool.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request for a path below the prefix, which is the scope's ``root_path``."""
        if (refusal := self._refusal(scope)) is not None:
            await refusal(scope, receive, send)
            return
        segments = [unquote_to_bytes(part) for part in scope["raw_path"][len(scope["root_path"]) + 1 :].split(b"/")]
        try:
            await self._serve(segments, scope, receive, send)
        except NoSuchFile:
            await text_reply(404, "404 page not found")(scope, receive, send)
        except PermissionError:
            await text_reply(403, "403 Forbidden")(scope, receive, send)
        except TooManyAnswers:
            await text_reply(503, "too many downloads at once; try again later", (LATER,))(scope, receive, send)
        except OSError as exc:
            _logger.warning("cannot serve %s: %s", unquote(scope["raw_path"]), exc)
            await text_reply(503, "the file cannot be read now; try again later", (LATER,))(scope, receive, send)

    def _refusal(self, scope: Scope) -> Reply | None:
        if scope["method"] not in ("GET", "HEAD"):
            return method_not_allowed("GET, HEAD")
        raw_path: bytes = scope["raw_path"]
        clean = redirects.cleaned(raw_path)
        if clean == scope["root_path"].encode():
            clean += b"/"
        if clean != raw_path:
            return redirects.temporary(clean, scope["query_string"])
        if not self._tunables.current.simple_fileserver:
            return Reply(404, encode(_OFF), (TEXT,))
        return None

    async def _serve(self, segments: list[bytes], scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with what is there. Raises NoSuchFile, OSError, and TooManyAnswers before anything is sent."""
        *folders, name = segments
        if name == _INDEX:
            await _moved(b"./", scope)(scope, receive, send)
            return
        file = await self._open(folders if not name else segments)
        try:
            if file.is_directory != (not name):
                last = quote(segments[-1] or folders[-1], safe="").encode()
                place = last + b"/" if file.is_directory else b"../" + last
                await _moved(place, scope)(scope, receive, send)
            elif file.is_directory:
                await self._serve_directory(folders, file, scope, receive, send)
            else:
                await self._serve_file(name, file, scope, receive, send)
        finally:
            self._pool.begin(file.close)

    async def _open(self, segments: Sequence[bytes]) -> OpenFile:
        root = self._tunables.current.simple_fileserver
        return await self._pool.acquire(open_below, root, segments, release=lambda file: self._pool.begin(file.close))

    async def _serve_directory(
        self, folders: list[bytes], folder: OpenFile, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Answer with its index page if it has one, else with a list."""
        try:
            index = await self._open([*folders, _INDEX])
        except NoSuchFile:
            await self._list(folder, scope, receive, send)
            return
        try:
            if index.is_directory:
                await self._list(folder, scope, receive, send)
            else:
                await self._serve_file(_INDEX, index, scope, receive, send)
        finally:
            self._pool.begin(index.close)

    async def _list(self, folder: OpenFile, scope: Scope, receive: Receive, send: Send) -> None:
        validators = Validators.of(folder.modified, None)
        if status := validators.refusal(_fields(scope)):
            await _bare(status, validators)(scope, receive, send)
            return
        page = await self._pool.run(lambda: listing.page(folder.names()))
        await Reply(200, page, (_HTML, *validators.headers, *_COMMON))(scope, receive, send)

    async def _serve_file(self, name: bytes, file: OpenFile, scope: Scope, receive: Receive, send: Send) -> None:
        fields, validators = _fields(scope), Validators.of(file.modified, file.size)
        if status := validators.refusal(fields):
            await _bare(status, validators)(scope, receive, send)
            return
        wanted = None
        headers = [*validators.headers, _RANGES, *_COMMON]
        if scope["method"] == "GET" and b"range" in fields and validators.allow_ranges(fields):
            try:
                wanted = ranges.parse(fields[b"range"], file.size)
            except ranges.Unsatisfiable as exc:
                about = ((b"content-range", b"bytes */%d" % file.size), *validators.headers, _RANGES)
                await text_reply(416, str(exc), about)(scope, receive, send)
                return
        media_type = media_types.of_name(name) or media_types.of_content(
            await self._pool.run(file.read, 0, media_types.SNIFFED)
        )
        found = file_answer.answer_for(file.size, media_type.encode(), wanted)
        if scope["method"] == "HEAD":
            await _Bare(found.status, [*found.head, *headers])(scope, receive, send)
        else:
            share = Share(self._memory, abort_of(scope))
            await file_answer.Sender(file, self._pool, share).send(found, headers, receive, send)


class _Bare:
    """An answer without a body, whose header may tell the length of one."""

    def __init__(self, status: int, headers: Sequence[RawHeader]) -> None:
        self._start = {"type": "http.response.start", "status": status, "headers": list(headers)}

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        await send(self._start)
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def _bare(status: int, validators: Validators) -> _Bare:
    """Answer that a condition is not met (412), or that the client has this version (304)."""
    length = [] if status == 304 else [(b"content-length", b"0")]
    return _Bare(status, [*validators.headers, *length])


def _moved(place: bytes, scope: Scope) -> Reply:
    query: bytes = scope["query_string"]
    return Reply(301, headers=((b"location", place + b"?" + query if query else place),))


def _fields(scope: Scope) -> Fields:
    """Return the header fields, with repeated ones joined."""
    fields: dict[bytes, bytes] = {}
    for name, value in scope["headers"]:
        fields[name] = fields[name] + b", " + value if name in fields else value
    return fields
