"""Metrics of all worker processes: whichever a scraper reaches asks the others, and marks each sample with its worker.

Samples are not added up here: the counters of a worker that was started again begin anew, which a scraper recognises in
a series of its own and would take in a sum for the counts of everybody.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
import struct
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from wfx.metrics.collector import Metrics

if TYPE_CHECKING:  # imported when metrics are first wanted
    from prometheus_client.core import Metric

log = logging.getLogger(__name__)

_DEADLINE = 2.0
"""Seconds that another worker may take; what it does not tell by then is missing in the scrape."""
_CREDENTIALS = struct.Struct("3i")
"""Process, user and group of a peer (unix(7), SO_PEERCRED)."""


class WorkerMetrics(NamedTuple):
    """The metrics of one worker."""

    number: int
    metrics: Sequence[Metric]


class Siblings:
    """The other workers, as far as metrics go: asks them, and answers them."""

    def __init__(self, number: int, listening: socket.socket, addresses: Mapping[int, str]) -> None:
        """Be the worker of this number, which is asked on a socket; the others are at these addresses."""
        self.number = number
        self._listening = listening
        self._addresses = addresses

    async def serve(self, metrics: Metrics) -> asyncio.Server:
        """Answer others until the server is closed."""

        async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with suppress(OSError):
                if _is_ours(writer):
                    writer.write(_encoded(await metrics.gather()))
                    await writer.drain()
            writer.close()

        return await asyncio.start_unix_server(answer, sock=self._listening)

    async def merged_with(self, own: Sequence[Metric]) -> Sequence[Metric]:
        """Return the metrics of this worker and of those that answer, marked."""
        asked = [self._ask(number, address) for number, address in self._addresses.items()]
        found = [each for each in await asyncio.gather(*asked) if each is not None]
        return _merged(sorted([WorkerMetrics(self.number, own), *found], key=lambda each: each.number))

    async def _ask(self, number: int, address: str) -> WorkerMetrics | None:
        try:
            async with asyncio.timeout(_DEADLINE):
                reader, writer = await asyncio.open_unix_connection(sock=await _connected(address))
                try:
                    return WorkerMetrics(number, _decoded(await reader.read()))
                finally:
                    writer.close()
        except (OSError, ValueError) as exc:  # it ends, or hangs
            log.warning("a worker does not tell its metrics", extra={"fields": {"asked": number, "error": str(exc)}})
            return None


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
    """Tell whether the peer is a process of the same user: others must not get around the plugins of the endpoint."""
    peer: socket.socket = writer.get_extra_info("socket")
    _, user, _ = _CREDENTIALS.unpack(peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size))
    return bool(user == os.geteuid())


def _encoded(metrics: Iterable[Metric]) -> bytes:
    return json.dumps([
        (each.name, each.documentation, each.type, each.unit, [sample[:3] for sample in each.samples])
        for each in metrics
    ]).encode()  # fmt: skip


def _decoded(sent: bytes) -> Sequence[Metric]:
    from prometheus_client.core import Metric

    def made(name: str, text: str, kind: str, unit: str, samples: list[Any]) -> Metric:
        metric = Metric(name, text, kind, unit)
        for sample in samples:
            metric.add_sample(*sample)
        return metric

    return [made(*each) for each in json.loads(sent)]


def _merged(workers: Iterable[WorkerMetrics]) -> Sequence[Metric]:
    """Put the samples of each metric together; the first worker that has it says what it is."""
    found: dict[str, Metric] = {}
    for number, metrics in workers:
        for each in metrics:
            marked = [one._replace(labels={"worker": str(number), **one.labels}) for one in each.samples]
            known = found.setdefault(each.name, each)
            known.samples = marked if known is each else known.samples + marked
    return list(found.values())
