"""The registry of devices (fleet API): what operators read of it, and whether it knows the devices of a run."""

from __future__ import annotations

import logging

from wfx_loadtest.duration import SECOND
from wfx_loadtest.facts import Fact
from wfx_loadtest.session import Session
from wfx_loadtest.wire import Answer, Request, WireError

FLEET = "/api/fleet/v1"
_PATIENCE = 10 * SECOND
"""How long a device may take to be in the registry: a server writes down every five seconds who has asked."""
_PERIOD = SECOND // 4
_SHOWN = 20
"""Devices on a page that an operator looks at."""
_log = logging.getLogger(__name__)


class Registry:
    """The devices whose client ids have a prefix, on the northbound side."""

    def __init__(self, session: Session, prefix: str) -> None:
        """Begin at the first page; send nothing."""
        self.listed: list[str] = []
        """The client ids on the page that was read last."""
        self._session = session
        self._prefix = prefix
        self._after = ""

    def page(self) -> Request:
        """Build the request for the next page, or for the first one after the last."""
        return self._page(self._after, _SHOWN)

    def read(self, answer: Answer) -> None:
        """Take note of a page."""
        self.listed = [device["clientId"] for device in answer.document.get("content", [])]
        self._after = answer.document.get("next", "")

    def device(self, client_id: str) -> Request:
        """Build the request for one device."""
        return self._session.north.request("GET", f"/devices/{client_id}", base=FLEET)

    async def is_offered(self) -> bool:
        """Tell whether the service has a registry that we may read; warn if not. Raises WireError."""
        answer = await self._session.north.exchange(self._page("", 1))
        if not answer.ok:
            _log.warning("GET %s/devices: %s; operators will list jobs only", FLEET, answer.line)
        return answer.ok

    async def audit(self, polled: set[str]) -> list[Fact]:
        """Wait until the registry has seen the devices that have polled, and show how many it has.

        If the service does not answer any more, there is a warning, and nothing to show: the run has its results.
        """
        try:
            missing = await self._missing(polled)
        except WireError as exc:
            _log.warning("GET %s/devices: %s; it is not known which devices are registered", FLEET, exc)
            return []
        values = (str(len(polled)), str(len(polled - missing)), str(len(missing)))
        return [Fact("Devices", ("polled", "registered", "missing"), values)]

    async def _missing(self, polled: set[str]) -> set[str]:
        clock, stop = self._session.clock, self._session.stop
        deadline = clock.now() + _PATIENCE
        seen = await self._seen()
        while polled - seen and clock.now() < deadline and not stop.is_set():
            await clock.until(clock.now() + _PERIOD)
            seen = await self._seen()
        return polled - seen

    async def _seen(self) -> set[str]:
        seen: set[str] = set()
        after: str | None = ""
        while after is not None:
            page = (await self._session.north.exchange(self._page(after, 500))).document
            seen |= {device["clientId"] for device in page.get("content", []) if "lastSeen" in device}
            after = page.get("next")
        return seen

    def _page(self, after: str, limit: int) -> Request:
        query = f"clientIdPrefix={self._prefix}&limit={limit}&after={after}"
        return self._session.north.request("GET", f"/devices?{query}", base=FLEET)
