"""Bytes to the ports of both engines: the same answers from both, in time, and no traceback in the log."""

from __future__ import annotations

import random
import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from rawhttp import Wire

from tests.fuzz.mutation import mutated
from tests.server.corpus import CASES, canary
from wfx.demo.local import LocalService

ENGINES = ("uvicorn", "hypercorn")
SHORT = 1000
LATE = 60.0
"""Seconds in which each connection ends: clients say that no more will come, so no deadline is waited for."""
SAMPLES = [case.data + canary() for case in CASES if len(case.data) < SHORT]
TOKENS = [
    b"\r\n",
    b"\n",
    b"\r",
    b"\0",
    b" ",
    b"\t",
    b":",
    b",",
    b";",
    b"/",
    b"?",
    b"#",
    b"%",
    b"%2F",
    b"..",
    b"\xff",
    b"-1",
    b"0",
    b"00",
    b"9" * 20,
    b"HTTP/1.1",
    b"HTTP/1.0",
    b"POST",
    b"PUT",
    b"DELETE",
    b"OPTIONS",
    b"chunked",
    b"\r\n\r\n",
    b"0\r\n\r\n",
    b"\r\nContent-Length: 5\r\n",
    b"\r\nTransfer-Encoding: chunked\r\n",
    b"\r\nHost: a\r\n",
    b"\r\nExpect: 100-continue\r\n",
    b"\r\nConnection: close\r\n",
    b"\r\nConnection: keep-alive\r\n",
    b"\r\nUpgrade: h2c\r\n",
    b"\r\nConnection: Upgrade\r\nUpgrade: x\r\n",
    b"CONNECT",
    b"PRI * HTTP/2.0\r\n\r\n",
    b"\xc3\xbc",
    b'{"a":1}',
]
_STATUS = re.compile(rb"^HTTP/1\.[01] ([2-5]\d\d) ", re.MULTILINE)


class Both:
    """A service of each engine."""

    def __init__(self, services: dict[str, LocalService]) -> None:
        """Attack these."""
        self.services = services

    def attack(self, chance: random.Random) -> bytes:
        """Send some bytes; return them. Raises AssertionError."""
        data = mutated(chance, SAMPLES, TOKENS)
        side = chance.choice(("north", "south"))
        answers = {engine: ask(service.ports[side], data) for engine, service in self.services.items()}
        short, long = sorted(answers.values(), key=len)
        # Whether a last request of which a part is missing is answered before it is over is a matter of moments.
        assert long[: len(short)] == short, f"{answers} to {data!r}"
        assert len(long) - len(short) <= 1, f"{answers} to {data!r}"
        assert not any(status >= 500 and status != 505 for status in long), f"{answers} to {data!r}"
        return data

    def check(self) -> None:
        """Hold the logs against what may be in them."""
        for engine, service in self.services.items():
            assert service.process is not None
            assert service.process.poll() is None, f"{engine} has ended"
            assert [line for line in service.lines if "Traceback" in line or '"level": "error"' in line] == []


@contextmanager
def both(folder: Path) -> Iterator[Both]:
    """Run a service of each engine."""
    with ExitStack() as stack:
        services = {}
        for engine in ENGINES:
            (folder / engine).mkdir()
            service = LocalService(folder / engine, f"--http-engine={engine}")
            services[engine] = stack.enter_context(service)
        yield Both(services)


def ask(port: int, data: bytes) -> list[int]:
    """Send bytes and say that there are no more; return the status of each answer, interim ones apart."""
    said = b""
    with Wire(port, LATE) as wire, suppress(ConnectionError):
        wire.send(data)
        wire.socket.shutdown(socket.SHUT_WR)
        while received := wire.socket.recv(65536):
            said += received
    return [int(status) for status in _STATUS.findall(said)]
