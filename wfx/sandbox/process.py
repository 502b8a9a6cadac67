"""One worker process, as the service sees it: starts it, sends requests, ends it."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from wfx.sandbox.errors import Limit, LimitReached, Unavailable
from wfx.sandbox.frames import HEADER, READY, Frame

_EXIT_SECONDS = 2.0
"""How long a worker that ends by itself may take, before it is killed; usually some milliseconds."""
_BUFFER = 1024 * 1024
"""Bytes of an answer that are buffered before the pipe is paused."""


@dataclass(frozen=True, slots=True)
class Program:
    """What workers run."""

    module: str
    """Has ``answer(request: Frame) -> Frame``, and imports all that this needs."""
    packages: tuple[str, ...] = ()
    """Third-party packages that it imports."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request may use."""

    memory: int
    """Bytes of address space of a worker, the interpreter's own (some 40 MiB) included."""
    output: int
    """Bytes of an answer."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request to a worker: a frame whose body is in pieces, as it was received."""

    kind: bytes
    head: bytes
    body: Sequence[bytes]
    size: int
    """Bytes of the body."""


class WorkerProcess:
    """One process and the pipes to it."""

    def __init__(self, process: Process, limits: Limits) -> None:
        """Take over a process that was just started; see :meth:`start`."""
        assert process.stdin is not None
        assert process.stdout is not None
        self._process, self._stdin, self._stdout = process, process.stdin, process.stdout
        self._limits = limits
        self._leaving = False

    @classmethod
    async def start(cls, program: Program, limits: Limits) -> WorkerProcess:
        """Start a process without environment, in a process group of its own. Raises Unavailable."""
        directories = os.pathsep.join(sorted({_directory_of(name) for name in ("wfx", *program.packages)}))
        launcher = Path(__file__).with_name("launcher.py")
        try:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", str(launcher), directories, program.module),
                *(str(limits.memory), str(os.getpid())),
                stdin=PIPE,
                stdout=PIPE,
                env={},
                cwd="/",
                start_new_session=True,
                limit=_BUFFER,
            )
        except OSError as exc:
            raise Unavailable(f"a worker process did not start ({exc.strerror})") from exc
        return cls(process, limits)

    @property
    def running(self) -> bool:
        """Whether the process serves; its end shows in the pipe sooner than in its status."""
        return self._process.returncode is None and not self._stdout.at_eof() and not self._leaving

    async def ready(self) -> None:
        """Wait until the process serves. Raises EOFError if it ends before."""
        if (await self._receive()).kind != READY:
            raise EOFError

    async def exchange(self, request: Request) -> Frame:
        """Send a request and return the answer.

        Raises EOFError if the process ends before it answers, LimitReached if the answer is too large. After any
        exception the process can only be ended.
        """
        header = HEADER.pack(request.kind, False, len(request.head), request.size)
        self._stdin.writelines((header, request.head, *request.body))
        with suppress(ConnectionError):  # it may have answered without reading all
            await self._stdin.drain()
        return await self._receive()

    async def _receive(self) -> Frame:
        kind, self._leaving, head, body = HEADER.unpack(await self._stdout.readexactly(HEADER.size))
        if head + body > self._limits.output:
            raise LimitReached(Limit.OUTPUT)
        return Frame(kind, await self._stdout.readexactly(head), await self._stdout.readexactly(body))

    def kill(self) -> None:
        """End the process at once."""
        if self._process.returncode is None:
            self._process.kill()

    async def end(self) -> int:
        """Wait until the process is gone and return its status: negative when by a signal. Kills it if it serves.

        A process that is about to end is left to do so: killing it then could lose its status (``Popen.kill`` looks
        after the process, which takes the status away from the event loop).
        """
        self._stdin.close()
        if self.running:
            self.kill()
        try:
            async with asyncio.timeout(_EXIT_SECONDS):
                await self._process.communicate()
        except TimeoutError:
            self.kill()
            await self._process.communicate()
        assert self._process.returncode is not None
        return self._process.returncode


def _directory_of(package: str) -> str:
    """Return the directory that a package, or a module, is found in."""
    found = importlib.util.find_spec(package)
    assert found is not None, package
    if found.submodule_search_locations:
        return str(Path(next(iter(found.submodule_search_locations))).parent)
    assert found.origin is not None, package
    return str(Path(found.origin).parent)
