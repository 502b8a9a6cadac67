"""What workers ask each other: metrics, and scripts that run."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import closing
from typing import cast

import pytest
from prometheus_client.core import GaugeMetricFamily, Metric

from wfx.metrics import Metrics, metrics_answers
from wfx.metrics.workers import with_siblings
from wfx.server import siblings as siblings_module
from wfx.server.siblings import Siblings


class OwnMetrics:
    """The metrics of one worker."""

    def __init__(self, value: float) -> None:
        self.value = value

    async def gather(self) -> Sequence[Metric]:
        """One gauge."""
        return [GaugeMetricFamily("level", "What it is", value=self.value)]


def listening() -> tuple[socket.socket, str]:
    """A socket without a file, and its name."""
    opened = socket.socket(socket.AF_UNIX)
    opened.bind(f"\0wfx-test-{secrets.token_hex(8)}")
    opened.listen()
    opened.setblocking(False)
    return opened, opened.getsockname().decode()


@pytest.fixture
async def address() -> AsyncIterator[str]:
    """Where worker 2 answers."""
    opened, name = listening()
    server = await Siblings(2, opened, {}).serve(metrics_answers(cast(Metrics, OwnMetrics(5.0))))
    yield name
    server.close()
    await server.wait_closed()


async def test_marked(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Samples of the same metric stand together, each with the worker that it is of."""
    monkeypatch.setattr(siblings_module, "_DEADLINE", 600)
    opened, _ = listening()
    with closing(opened):
        (level,) = await with_siblings(await OwnMetrics(3.0).gather(), Siblings(1, opened, {2: address}))
    assert level.documentation == "What it is"
    assert [(sample.labels, sample.value) for sample in level.samples] == [
        ({"worker": "1"}, 3.0),
        ({"worker": "2"}, 5.0),
    ]


async def test_silent_worker(address: str) -> None:
    """A worker that does not answer, or that is gone, is missing, and the others are shown."""
    opened, name = listening()
    with closing(opened):
        siblings = Siblings(1, opened, {2: address, 3: name, 4: f"{name}-none"})
        (level,) = await with_siblings(await OwnMetrics(3.0).gather(), siblings)
        assert (await siblings.ask("metrics")).silent == [3, 4]
    assert [sample.labels["worker"] for sample in level.samples] == ["1", "2"]


async def test_answer_that_is_cut_off() -> None:
    """A worker that ends while it answers is missing, and the others are shown."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b'[["level", "What it')
        writer.close()

    opened, name = listening()
    async with await asyncio.start_unix_server(answer, sock=opened):
        siblings = Siblings(1, opened, {2: name})
        (level,) = await with_siblings(await OwnMetrics(3.0).gather(), siblings)
        assert (await siblings.ask("metrics")).silent == [2]
    assert [sample.labels["worker"] for sample in level.samples] == ["1"]


async def test_other_users(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes of other users are told nothing, and not waited for."""
    monkeypatch.setattr(siblings_module, "_DEADLINE", 600)
    assert json.loads(await asked(address))[0][0] == "level"
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    assert await asked(address, b"") == b""


@pytest.mark.parametrize("question", [b"\n", b"metrics", b"nothing 7\n", b"\xff\n", b"a" * 100_000 + b"\n"])
async def test_no_question(address: str, question: bytes) -> None:
    """What is no question, or one that nobody knows, gets no answer, and the next one gets its own."""
    assert await asked(address, question, ends=True) == (b"" if question != b"metrics" else await asked(address))
    assert json.loads(await asked(address))[0][0] == "level"


async def asked(address: str, question: bytes = b"metrics \n", *, ends: bool = False) -> bytes:
    """What a process gets that connects and asks, and says that this was all, if it ``ends``."""
    opened = socket.socket(socket.AF_UNIX)
    opened.setblocking(False)
    await asyncio.get_running_loop().sock_connect(opened, address)
    reader, writer = await asyncio.open_unix_connection(sock=opened)
    writer.write(question)
    if ends:
        writer.write_eof()
    said = b""
    async with asyncio.timeout(60):
        try:
            said = await reader.read()
        except ConnectionError:
            assert len(question) > 60_000, "only what is not read to its end is reset"
    writer.close()
    return said
