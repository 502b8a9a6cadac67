"""Bodies in a great many pieces: they cost their sender, and nobody else."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from rawhttp import Wire
from starlette.types import Receive, Scope, Send

from tests.server.engines import serving
from wfx.api.reply import Reply
from wfx.server.request_reader import RequestReader

_HEAD = b"PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
_END = b"0\r\n\r\n"
_MANY = 60_000


class Counting:
    """An app that counts the messages a body comes in, and the steps that were read between two turns of the loop."""

    def __init__(self) -> None:
        self.messages = 0
        self.steps = 0
        self.most = 0
        self._receives = False

    def _turn(self) -> None:
        self.most = max(self.most, self.steps)
        self.steps = 0
        if self._receives:
            asyncio.get_running_loop().call_soon(self._turn)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with the length of the body."""
        self._receives = True
        self._turn()
        length, more = 0, True
        while more:
            message = await receive()
            length += len(message["body"])
            more = message["more_body"]
            self.messages += 1
        self._receives = False
        self.most = max(self.most, self.steps)
        await Reply(200, b"%d" % length)(scope, receive, send)


@pytest.fixture
def counting(monkeypatch: pytest.MonkeyPatch) -> Counting:
    """The app, told of each step of a reader."""
    app = Counting()
    read = RequestReader.read

    def counted(reader: Any) -> bool:
        app.steps += 1
        return read(reader)

    monkeypatch.setattr(RequestReader, "read", counted)
    return app


@pytest.mark.parametrize(("chunks", "length"), [
    (b"1\r\nx\r\n" * _MANY, _MANY),
    (b"%x\r\n%b\r\n" % (4 * _MANY, b"\r\n\r\n" * _MANY), 4 * _MANY),
], ids=["small chunks", "empty lines"])  # fmt: skip
def test_others_have_their_turn(engine: str, counting: Counting, chunks: bytes, length: int) -> None:
    """Row 24: a body in 60,000 pieces is read in turns with what others send, and handed on in a few."""
    with serving(engine, counting) as port, Wire(port) as wire:
        for _ in range(3):
            wire.send(_HEAD + chunks + _END)
            assert wire.answer().body == b"%d" % length
    assert 0 < counting.most < _MANY / 10
    assert counting.messages < 3 * _MANY / 10
