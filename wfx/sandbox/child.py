"""Child process that serves over its stdin and stdout: start, kill, reap."""

from __future__ import annotations

import asyncio
import importlib.util
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path

_EXIT_SECONDS = 2.0
"""How long a process that ends by itself may take, before it is killed; usually some milliseconds."""
_BUFFER = 64 * 1024


class ChildProcess:
    """A process and the pipes to it; what is said over them is for subclasses."""

    def __init__(self, process: Process) -> None:
        """Take over a process that was just started; see :func:`spawn`."""
        assert process.stdin is not None
        assert process.stdout is not None
        self._process, self._stdin, self._stdout = process, process.stdin, process.stdout
        self._leaving = False
        """Whether it has said that it ends, or was killed."""

    @property
    def process_id(self) -> int:
        """The system's number of the process."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the process serves; its end shows in the pipe sooner than in its status."""
        return self._process.returncode is None and not self._stdout.at_eof() and not self._leaving

    def kill(self) -> None:
        """End the process at once."""
        self._leaving = True
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


async def spawn(script: Path, *arguments: object, buffer: int = _BUFFER) -> Process:
    """Start a Python script without environment, in a process group of its own. Raises OSError.

    ``buffer`` is how many bytes of its output are buffered before the pipe is paused.
    """
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-S", str(script), *map(str, arguments)),
        stdin=PIPE,
        stdout=PIPE,
        env={},
        cwd="/",
        start_new_session=True,
        limit=buffer,
    )


def directory_of(package: str) -> str:
    """Return the directory that a package, or a module, is found in."""
    found = importlib.util.find_spec(package)
    assert found is not None, package
    if found.submodule_search_locations:
        return str(Path(next(iter(found.submodule_search_locations))).parent)
    assert found.origin is not None, package
    return str(Path(found.origin).parent)
