"""Another plugin, run and asked by this one: so a plugin learns what another decides, or changes it."""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
import stat
import subprocess
import threading
import time
from pathlib import Path

from wfx_plugin.channel import Frames
from wfx_plugin.model import Decision, Request
from wfx_plugin.wire import read_answer, write_request

REPLY_TIMEOUT = 30.0
"""Seconds that the other plugin has for an answer."""
_END_DELAY = 0.5
"""Seconds between the end of the other plugin and that of this one: if the server stops both, this one is told, too."""
_log = logging.getLogger("wfx_plugin")


class Plugin:
    """A plugin that runs as a child of this one. If it ends, or cannot be understood, this one ends with status 1."""

    def __init__(self, program: Path) -> None:
        """Start ``program``, in the same process group: the server's signals reach both.

        Raise OSError if that fails, or if others could put a program of theirs in its place.
        """
        self._name = program.name
        program = program.resolve()
        for path in (program, program.parent):
            if path.stat().st_mode & stat.S_IWOTH:
                raise PermissionError(f"{path} is writable by others (chmod o-w)")
        self._process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603 - wanted
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._frames = Frames(self._process.stdout, self._process.stdin)
        self._cookies = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Decision]] = {}
        threading.Thread(target=self._read_answers, daemon=True).start()

    async def decide(self, request: Request) -> Decision:
        """Ask the other plugin; raise TimeoutError if it does not answer."""
        cookie = next(self._cookies)
        answer: asyncio.Future[Decision] = asyncio.get_running_loop().create_future()
        self._waiting[cookie] = answer
        self._frames.write(write_request(cookie, request))
        try:
            async with asyncio.timeout(REPLY_TIMEOUT):
                return await answer
        finally:
            self._waiting.pop(cookie, None)

    def _read_answers(self) -> None:
        """Hand answers over until the other plugin ends, and this one with it."""
        try:
            while frame := self._frames.read():
                cookie, decision = read_answer(frame)
                answer = self._waiting.pop(cookie, None)
                if answer:
                    answer.get_loop().call_soon_threadsafe(_settle, answer, decision)
            time.sleep(_END_DELAY)
            _log.error("plugin %s ended with status %s", self._name, self._process.wait())
        except Exception:  # noqa: BLE001 - whatever an answer may be that cannot be read
            _log.exception("plugin %s cannot be understood", self._name)
        os._exit(1)


def _settle(answer: asyncio.Future[Decision], decision: Decision) -> None:
    if not answer.done():
        answer.set_result(decision)
