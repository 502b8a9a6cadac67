"""Download that goes on where it broke off: HEAD, then GET, then GET of the rest as often as it takes."""

from __future__ import annotations

import itertools
import logging
import re
import time
from collections.abc import Callable, Iterator
from typing import Protocol

import httpx

from wfx.demo.connection import backoff

log = logging.getLogger("device")

ATTEMPTS = 10
"""Attempts without a single byte before a download is given up: about two minutes."""
_HEADERS = {"Accept": "application/octet-stream", "Accept-Encoding": "identity"}
_BUSY = frozenset({408, 425, 429})
"""Besides 5xx: asking again may help."""


class Target(Protocol):
    """Where the bytes go."""

    def write(self, data: bytes, /) -> object:
        """Take the next bytes."""

    def restart(self) -> None:
        """Forget all bytes: the file has changed meanwhile."""


class Download:
    """One file on its way."""

    def __init__(self, address: str, target: Target, pause: Callable[[float], None] = time.sleep) -> None:
        """Bring the file at ``address`` to ``target``; wait by means of ``pause``."""
        self._address = address
        self._target = target
        self._pause = pause
        self._size = 0
        self._received = 0
        self._version = ""

    def run(self, client: httpx.Client) -> Iterator[int]:
        """Fetch it, yielding the percentage that has arrived after each piece.

        Raises httpx.HTTPError or httpx.InvalidURL if it cannot be had, or not after some attempts.
        """
        fruitless = 0
        for attempt in itertools.count(1):
            before = self._received
            try:
                if attempt == 1 or not self._version:
                    self._ask(client)
                yield from self._fetch(client)
            except (httpx.TransportError, httpx.HTTPStatusError) as exc:
                fruitless = 1 if self._received > before else fruitless + 1
                if not _may_pass(exc) or fruitless >= ATTEMPTS:
                    raise
                log.info("%s: %s", self._address, summary(exc))
                self._pause(backoff(fruitless - 1))
            else:
                return

    def _ask(self, client: httpx.Client) -> None:
        answer = client.head(self._address, headers=_HEADERS).raise_for_status()
        self._size = int(answer.headers.get("Content-Length", "0"))
        self._version = answer.headers.get("ETag", "")

    def _fetch(self, client: httpx.Client) -> Iterator[int]:
        rest = {}
        if self._received and self._version:
            rest = {"Range": f"bytes={self._received}-", "If-Range": self._version}
        with client.stream("GET", self._address, headers={**_HEADERS, **rest}) as answer:
            answer.raise_for_status()
            if answer.status_code == 206:
                self._check_start(answer)
            else:
                self._start_over()
                self._version = answer.headers.get("ETag", "")
                self._size = int(answer.headers.get("Content-Length", "0"))
            for piece in answer.iter_raw():
                self._target.write(piece)
                self._received += len(piece)
                yield min(100, 100 * self._received // max(1, self._size))

    def _check_start(self, answer: httpx.Response) -> None:
        """Start over if an answer is not the rest that was asked for. Raises httpx.RemoteProtocolError."""
        start = re.match(r"bytes (\d+)-", answer.headers.get("Content-Range", ""))
        if start is None or int(start[1]) != self._received:
            self._start_over()
            raise httpx.RemoteProtocolError("the server sent another part of the file than it was asked for")

    def _start_over(self) -> None:
        self._target.restart()
        self._received = 0


def summary(failure: Exception) -> str:
    """Say what went wrong in one line: httpx puts the address of a page about the status in a second."""
    return str(failure).partition("\n")[0] or type(failure).__name__


def _may_pass(failure: httpx.TransportError | httpx.HTTPStatusError) -> bool:
    if isinstance(failure, httpx.HTTPStatusError):
        return failure.response.status_code >= 500 or failure.response.status_code in _BUSY
    return not isinstance(failure, httpx.UnsupportedProtocol)
