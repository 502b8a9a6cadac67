"""ASGI app that serves the metrics, in the form that the scraper accepts: OpenMetrics, or Prometheus text."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.types import Receive, Scope, Send

from wfx.api.app import no_such_path
from wfx.api.reply import NO_STORE, Reply, refused_method
from wfx.metrics.collector import Metrics
from wfx.metrics.negotiation import OPENMETRICS, ExpositionFormat, choose_format
from wfx.metrics.workers import with_siblings
from wfx.server.siblings import Siblings

if TYPE_CHECKING:  # imported when metrics are first wanted
    from prometheus_client.core import Metric


@dataclass(frozen=True, slots=True)
class _Collected:
    """What was collected on the event loop, as a collector, to be written in a thread."""

    metrics: Sequence[Metric]

    def collect(self) -> Iterator[Metric]:
        """Return what was collected."""
        return iter(self.metrics)


def _write(collected: _Collected, chosen: ExpositionFormat) -> bytes:
    """Write metrics: in a thread, since they may be many."""
    from prometheus_client import exposition
    from prometheus_client.openmetrics import exposition as openmetrics

    if chosen is OPENMETRICS:
        text: bytes = openmetrics.generate_latest(collected, version=chosen.version)  # type: ignore[no-untyped-call]  # of others
        return text
    return exposition.generate_latest(collected)


class MetricsEndpoint:
    """Answers at its path, and not below it."""

    def __init__(self, metrics: Metrics, siblings: Siblings | None = None) -> None:
        """Serve these metrics, to one scraper after the other, and with them those of other workers."""
        self._metrics = metrics
        self._siblings = siblings
        self._turn = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; ``root_path`` is the path of the metrics."""
        reply = no_such_path(scope) if scope["raw_path"] != scope["root_path"].encode() else refused_method(scope)
        if reply is None:
            accepted = b",".join(value for name, value in scope["headers"] if name == b"accept")
            reply = await self._scraped(accepted.decode("latin-1"))
        await reply(scope, receive, send)

    async def _scraped(self, accepted: str) -> Reply:
        """Answer one scrape at a time."""
        chosen = choose_format(accepted)
        async with self._turn:
            metrics = await self._metrics.gather()
            if self._siblings is not None:
                metrics = await with_siblings(metrics, self._siblings)
            text = await asyncio.to_thread(_write, _Collected(metrics), chosen)
        return Reply(200, text, ((b"content-type", chosen.content_type.encode()), NO_STORE))
