"""ASGI app that serves the metrics, in the form that the scraper accepts: OpenMetrics, or Prometheus text."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.types import Receive, Scope, Send

from wfx.api.app import no_such_path
from wfx.api.reply import NO_STORE, Reply, refused_method
from wfx.metrics.collector import Metrics

if TYPE_CHECKING:  # imported when metrics are first wanted
    from prometheus_client.core import Metric

_VERSION = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9}){0,3}")


@dataclass(frozen=True, slots=True)
class _Collected:
    """What was collected on the event loop, as a collector, to be written in a thread."""

    metrics: Sequence[Metric]

    def collect(self) -> Iterator[Metric]:
        """Return what was collected."""
        return iter(self.metrics)


def _encoder(accepted: str) -> tuple[Callable[[_Collected], bytes], str]:
    """Choose how to write metrics. The first call imports the library: in a thread, so that nobody waits for that."""
    from prometheus_client.exposition import choose_encoder

    return choose_encoder(",".join(form for form in accepted.split(",") if _has_a_version_or_none(form)))


def _has_a_version_or_none(form: str) -> bool:
    """Tell whether what is given as the version of a form is one; the library raises for anything else."""
    named = (parameter.strip().partition("=") for parameter in form.split(";"))
    return all(_VERSION.fullmatch(value) for name, _, value in named if name == "version")


class MetricsEndpoint:
    """Answers at its path, and not below it."""

    def __init__(self, metrics: Metrics) -> None:
        """Serve these metrics, to one scraper after the other."""
        self._metrics = metrics
        self._turn = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; ``root_path`` is the path of the metrics."""
        reply = no_such_path(scope) if scope["raw_path"] != scope["root_path"].encode() else refused_method(scope)
        if reply is None:
            accepted = b",".join(value for name, value in scope["headers"] if name == b"accept")
            reply = await self._scraped(accepted.decode("latin-1"))
        await reply(scope, receive, send)

    async def _scraped(self, accepted: str) -> Reply:
        """Collect for one after the other: that takes the event loop, and others have their turn in between."""
        encode, media_type = await asyncio.to_thread(_encoder, accepted)
        async with self._turn:
            await self._metrics.refresh()
            collected = _Collected(list(self._metrics.collect()))
            text = await asyncio.to_thread(encode, collected)
        return Reply(200, text, ((b"content-type", media_type.encode("latin-1")), NO_STORE))
