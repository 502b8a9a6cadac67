"""Runs a plugin from its start until the server ends it."""

from __future__ import annotations

import asyncio
import logging
import queue
import signal
import sys
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from types import FrameType
from typing import Never

from wfx_plugin.channel import Channel
from wfx_plugin.model import Decision, Request, Respond
from wfx_plugin.wire import read_request, write_answer

Decide = Callable[[Request], Decision]
DecideAsync = Callable[[Request], Awaitable[Decision]]

log = logging.getLogger("wfx_plugin")
_PRIORITIES = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6))
_OVERLOADED = Respond.unavailable("too many requests are waiting for the plugin\n")
_FAILED = Respond.unavailable("the plugin failed on this request\n")


def run(decide: Decide, *, threads: int = 0, backlog: int = 64) -> None:
    """Answer requests with a plain function until SIGTERM, or until the server closes the pipe.

    With ``threads`` 0 it is called for one request after the other, which is the quickest way for a function that does
    not wait for anything. Otherwise so many threads call it at the same time, up to ``backlog`` requests wait for
    one, and what goes beyond is answered Unavailable. If the function raises, the traceback goes to standard error
    as an error, which the server reports, and the request is answered Unavailable: a plugin that fails lets nothing
    through.
    """
    log_to_stderr()
    with Channel() as channel:
        signal.signal(signal.SIGTERM, _leave)
        if threads:
            _serve_threads(decide, channel, threads, backlog)
        else:
            _serve_inline(decide, channel)


def run_async(decide: DecideAsync, *, backlog: int = 1024) -> None:
    """Answer requests with a coroutine function until SIGTERM, or until the server closes the pipe.

    Up to ``backlog`` requests are decided at the same time, what goes beyond is answered Unavailable; so is a
    request on which the function raises. At the end all that run are cancelled.
    """
    log_to_stderr()
    with Channel() as channel, suppress(asyncio.CancelledError):
        asyncio.run(_serve_tasks(decide, channel, backlog))


class _Marked(logging.Formatter):
    """Begins each record with its priority, as in sd-daemon(3): the server reports what is an error."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one record."""
        priority = next((number for level, number in _PRIORITIES if record.levelno >= level), 7)
        return f"<{priority}>{super().format(record)}"


def log_to_stderr() -> None:
    """Set logging up, unless the author did; what this package says itself takes the same way in any case."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Marked("%(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(handlers=[handler], level=logging.INFO)
    log.handlers, log.propagate = [handler], False
    log.setLevel(logging.INFO)


def _leave(number: int, frame: FrameType | None) -> Never:  # noqa: ARG001 - the signature of a signal handler
    sys.exit(0)


def _serve_inline(decide: Decide, channel: Channel) -> None:
    while frame := channel.read():
        cookie, request = read_request(frame)
        _answer(channel, cookie, request, decide)


def _serve_threads(decide: Decide, channel: Channel, threads: int, backlog: int) -> None:
    waiting: queue.Queue[tuple[int, Request]] = queue.Queue(backlog)

    def work() -> None:
        while True:
            _answer(channel, *waiting.get(), decide)

    for _ in range(threads):
        threading.Thread(target=work, daemon=True).start()
    while frame := channel.read():
        cookie, request = read_request(frame)
        try:
            waiting.put_nowait((cookie, request))
        except queue.Full:
            channel.write(write_answer(cookie, request, _OVERLOADED))


def _answer(channel: Channel, cookie: int, request: Request, decide: Decide) -> None:
    try:
        answer = write_answer(cookie, request, decide(request))
    except Exception:
        log.exception("no decision on %s", request.destination)
        answer = write_answer(cookie, request, _FAILED)
    channel.write(answer)


async def _serve_tasks(decide: DecideAsync, channel: Channel, backlog: int) -> None:
    loop = asyncio.get_running_loop()
    myself = asyncio.current_task()
    assert myself is not None
    loop.add_signal_handler(signal.SIGTERM, myself.cancel)
    requests = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(requests), channel.incoming)
    async with asyncio.TaskGroup() as group:
        running: set[asyncio.Task[None]] = set()
        while frame := await _next_frame(requests):
            cookie, request = read_request(frame)
            if len(running) >= backlog:
                channel.write(write_answer(cookie, request, _OVERLOADED))
                continue
            task = group.create_task(_answer_async(channel, cookie, request, decide))
            running.add(task)
            task.add_done_callback(running.discard)
        for task in running:
            task.cancel()


async def _next_frame(requests: asyncio.StreamReader) -> bytes | None:
    try:
        length = int.from_bytes(await requests.readexactly(4), "little")
        return await requests.readexactly(length)
    except asyncio.IncompleteReadError:
        return None


async def _answer_async(channel: Channel, cookie: int, request: Request, decide: DecideAsync) -> None:
    try:
        answer = write_answer(cookie, request, await decide(request))
    except Exception:
        log.exception("no decision on %s", request.destination)
        answer = write_answer(cookie, request, _FAILED)
    channel.write(answer)
