"""Metrics that workers ask each other for."""

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

from wfx.metrics import Metrics, Siblings


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
    server = await Siblings(2, opened, {}).serve(cast(Metrics, OwnMetrics(5.0)))
    yield name
    server.close()
    await server.wait_closed()


async def test_marked(address: str) -> None:
    """Samples of the same metric stand together, each with the worker that it is of."""
    opened, _ = listening()
    with closing(opened):
        (level,) = await Siblings(1, opened, {2: address}).merged_with(await OwnMetrics(3.0).gather())
    assert level.documentation == "What it is"
    assert [(sample.labels, sample.value) for sample in level.samples] == [
        ({"worker": "1"}, 3.0),
        ({"worker": "2"}, 5.0),
    ]


async def test_silent_worker(address: str) -> None:
    """A worker that does not answer is missing, and the others are shown."""
    opened, name = listening()
    with closing(opened):
        (level,) = await Siblings(1, opened, {2: address, 3: name}).merged_with(await OwnMetrics(3.0).gather())
    assert [sample.labels["worker"] for sample in level.samples] == ["1", "2"]


async def test_other_users(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes of other users are told nothing."""
    assert json.loads(await asked(address))[0][0] == "level"
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    assert await asked(address) == b""


async def asked(address: str) -> bytes:
    """What a process gets that connects."""
    opened = socket.socket(socket.AF_UNIX)
    opened.setblocking(False)
    await asyncio.get_running_loop().sock_connect(opened, address)
    reader, writer = await asyncio.open_unix_connection(sock=opened)
    async with asyncio.timeout(60):
        said = await reader.read()
    writer.close()
    await writer.wait_closed()
    return said
