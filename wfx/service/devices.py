"""Use cases of devices, and the notes of when they were seen, which are written some seconds later."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Coroutine
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Self

from wfx.domain.device import Device, DeviceDescription, DeviceList, DeviceQuery, Sighting
from wfx.domain.errors import StoreError
from wfx.service.device_filter import DeviceFilter
from wfx.store.device_lists import is_id
from wfx.store.protocol import Store

_logger = logging.getLogger(__name__)

INTERVAL = 5.0
"""Seconds from one time that notes are written to the next; so many are lost when the process is killed."""
MOST = 20_000
"""Devices that are noted until then; more are noted when they show themselves the next time."""
TOGETHER = 500
"""Devices that are written in one transaction."""
_AT_ONCE = 100
"""Devices that a filter takes from the store at once."""
_PAUSE = 0.02
"""Seconds from one of these to the next, in which jobs have their turn."""


def _now() -> int:
    return time.time_ns() // 1000


class Devices:
    """Use cases on devices; all raise what :class:`wfx.store.protocol.Store` raises.

    As an asynchronous context manager it writes down when devices were seen, at intervals and at the end.
    """

    def __init__(self, store: Store, *, interval: float = INTERVAL, now: Callable[[], int] = _now) -> None:
        """Work on this store; ``now`` tells the time in microseconds."""
        self._store = store
        self._interval = interval
        self._now = now
        self._seen: dict[str, list[Any]] = {}
        """For each client id the times of the first and the last sign, and the version."""
        self._stop = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.left_out = 0
        """Signs that were not noted since the last write."""

    async def __aenter__(self) -> Self:
        """Begin to write at intervals."""
        self._task = asyncio.create_task(self._run(), name="devices")
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Write what was noted, and end; leave before the store closes."""
        self._stop.set()
        if self._task is not None:
            await asyncio.wait([self._task])

    async def list(self, query: DeviceQuery, device_filter: DeviceFilter | None = None) -> DeviceList:
        """Return a page of devices, of those that a filter accepts; how many it looks at is bounded."""
        if device_filter is None:
            return await self._store.list_devices(query)
        left, accepted = device_filter.most_devices, _AcceptedDevices(device_filter, query.limit, self._now())
        after, position = query.after, None
        while True:
            asked = min(left, _AT_ONCE)
            page = await self._store.list_devices(replace(query, after=after, limit=asked))
            position = position or (page.log_id, page.position)
            after = await accepted.take(page)
            left -= asked
            if after is None or accepted.is_full or not left or len(page.devices) < asked:
                return DeviceList(tuple(accepted.devices), after, *position)

    def get(self, client_id: str) -> Coroutine[Any, Any, Device]:
        """Return one device. Raises DeviceNotFound."""
        return self._store.get_device(client_id)

    def describe(
        self, client_id: str, description: DeviceDescription, expected: Collection[str] | None
    ) -> Coroutine[Any, Any, None]:
        """Replace what is said about a device, if that has one of the expected tags. Raises DeviceChanged."""
        return self._store.describe_device(client_id, description, expected)

    async def delete(self, client_id: str) -> None:
        """Forget a device. Raises DeviceNotFound and DeviceInUse."""
        self._seen.pop(client_id, None)
        await self._store.delete_device(client_id)

    def note(self, client_id: str, version: str) -> None:
        """Remember that the device was seen now, and what it says that it is, if it does."""
        now, seen = self._now(), self._seen.get(client_id)
        if seen is not None:
            seen[1] = now
            if version:
                seen[2] = version
        elif len(self._seen) < MOST and is_id(client_id):
            self._seen[client_id] = [now, now, version]
        else:
            self.left_out += 1

    async def write(self) -> None:
        """Write down what was noted, in pieces. What cannot be written is lost: the devices will show themselves."""
        seen, self._seen = [Sighting(client_id, *each) for client_id, each in sorted(self._seen.items())], {}
        try:
            for start in range(0, len(seen), TOGETHER):
                if start:
                    await asyncio.sleep(_PAUSE)
                some = seen[start : start + TOGETHER]
                self.left_out += await self._store.note_sightings(some, forgets=start == 0)
            self._tell()
        except StoreError as exc:
            _logger.warning(
                "cannot write down when devices were seen: %s", exc, extra={"fields": {"devices": len(seen)}}
            )
        except Exception:
            _logger.exception("writing down when devices were seen failed")

    def _tell(self) -> None:
        """Log that signs were not noted, if there were any."""
        left_out, self.left_out = self.left_out, 0
        if left_out:
            _logger.warning(
                "%d signs of life of devices were not noted: there are too many at once, or too many devices that "
                "have neither jobs nor attributes nor labels",
                left_out,
            )

    async def _run(self) -> None:
        is_last = False
        while not is_last:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), self._interval)
            is_last = self._stop.is_set()
            await self.write()


class _AcceptedDevices:
    """Collects the devices that a filter accepts, for one page."""

    def __init__(self, device_filter: DeviceFilter, limit: int, now: int) -> None:
        """Collect up to ``limit`` devices; ``now`` is the time for functions of the filter."""
        self._filter = device_filter
        self._limit = limit
        self._now = datetime.fromtimestamp(now / 1e6, UTC)
        self.devices: list[Device] = []

    @property
    def is_full(self) -> bool:
        """Whether there are as many as were asked for."""
        return len(self.devices) >= self._limit

    async def take(self, page: DeviceList) -> str | None:
        """Add the accepted devices of a page of the store; return where to go on, None at the end of the list."""
        for number, device in enumerate(page.devices, 1):
            if self._filter.accepts(device, self._now):
                self.devices.append(device)
                if self.is_full:
                    return page.next if number == len(page.devices) else device.client_id
            if number % self._filter.devices_per_turn == 0:
                await asyncio.sleep(0)
        return page.next
