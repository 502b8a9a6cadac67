"""Questions that worker processes ask each other, so that any of them can answer a client for all.

A question is a line with its name and its subject; the answer is JSON, up to the end of the connection.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

log = logging.getLogger(__name__)

_DEADLINE = 2.0
"""Seconds that another worker may take; it is silent if it has not answered by then."""
_CREDENTIALS = struct.Struct("3i")
"""Process, user and group of a peer (unix(7), SO_PEERCRED)."""

Answer = Callable[[str], Awaitable[Any]]
"""Returns a JSON value for the subject of a question."""


class Answers(NamedTuple):
    """What other workers have answered to a question."""

    told: Mapping[int, Any]
    """By the numbers of the workers."""
    silent: list[int]
    """Workers that did not answer, or not to the end: they end, or hang."""


class Siblings:
    """The other workers: asks them, and answers them."""

    def __init__(self, number: int, listening: socket.socket, addresses: Mapping[int, str]) -> None:
        """Be the worker of this number, which is asked on a socket; the others are at these addresses."""
        self.number = number
        self._listening = listening
        self._addresses = addresses

    async def serve(self, answers: Mapping[str, Answer]) -> asyncio.Server:
        """Answer these questions, by their names, until the server is closed."""

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                if not _is_ours(writer):
                    return
                async with asyncio.timeout(_DEADLINE):
                    name, _, about = (await reader.readline()).decode().strip().partition(" ")
                if name in answers:
                    writer.write(json.dumps(await answers[name](about)).encode())
                    await writer.drain()
            except (OSError, ValueError):  # the peer is gone, or no worker
                pass
            finally:
                writer.close()

        return await asyncio.start_unix_server(answer, sock=self._listening)

    async def ask(self, question: str, about: str = "") -> Answers:
        """Ask all others at once."""
        line = f"{question} {about}\n".encode()
        asked = [self._ask(number, address, line) for number, address in self._addresses.items()]
        told = {number: answer for number, answer in await asyncio.gather(*asked) if answer is not None}
        return Answers(told, sorted(self._addresses.keys() - told))

    async def _ask(self, number: int, address: str, line: bytes) -> tuple[int, Any]:
        """Return the number of a worker and its answer; None if it does not answer."""
        try:
            async with asyncio.timeout(_DEADLINE):
                reader, writer = await asyncio.open_unix_connection(sock=await _connected(address))
                try:
                    writer.write(line)
                    return number, json.loads(await reader.read())
                finally:
                    writer.close()
        except (OSError, ValueError) as exc:  # it ends, which may cut its answer off, or hangs
            fields = {"asked": number, "question": line.decode().strip(), "error": str(exc)}
            log.warning("a worker does not answer another", extra={"fields": fields})
            return number, None


async def _connected(address: str) -> socket.socket:
    """Connect to a socket without a file, which uvloop does not do by itself."""
    opened = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        opened.setblocking(False)
        await asyncio.get_running_loop().sock_connect(opened, address)
    except BaseException:
        opened.close()
        raise
    return opened


def _is_ours(writer: asyncio.StreamWriter) -> bool:
    """Tell whether the peer is a process of the same user: others must not get around plugins and secrets of paths."""
    peer: socket.socket = writer.get_extra_info("socket")
    _, user, _ = _CREDENTIALS.unpack(peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size))
    return bool(user == os.geteuid())
