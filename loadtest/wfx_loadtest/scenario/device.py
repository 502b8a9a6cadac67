"""A simulated device that behaves on the wire like SWUpdate with the direct workflow (device-swupdate, sequence)."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from wfx_loadtest.session import Session, Side

POLL = "Devices: poll for jobs"
REPORT = "Devices: report progress"
_PLAIN = "User-Agent: libcurl-agent/1.0\r\nContent-Type: application/json\r\nAccept: application/json\r\n"
_PUT = f"{_PLAIN}X-Response-Filter: del(.context)\r\nExpect: 100-continue\r\n"
_INSTALLING = "Installing artifact 1/1: 'payload.bin' with 'rawfile' ..."
_STEPS_A_POLL = 10
"""Reports of progress a device makes in the time of one poll interval."""


class Abandoned(Exception):
    """The service refused a step or did not answer; the device looks for work again later."""


@dataclass(slots=True)
class Progress:
    """How far the whole fleet is; all devices share one."""

    acknowledged: Callable[[str, int], None]
    """Called with (job id, due) after each confirmed write."""
    finished: int = 0
    polled: set[str] = field(default_factory=set)
    """The client ids of the devices whose polls were answered."""


class Device:
    """One device: polls, takes the first open job, reports its way through it, and polls again."""

    def __init__(self, session: Session, client_id: str, progress: Progress) -> None:
        """Create the device with a main connection of its own; :meth:`live` makes it act."""
        self.client_id = client_id
        self._session = session
        self._progress = progress
        self._random = random.Random(client_id)  # noqa: S311 - the same devices behave the same in every run
        self._main = session.south.alone()
        self._pause = session.settings.poll_interval // _STEPS_A_POLL
        self._named = f"X-Client-Id: {client_id}\r\nX-Client-Version: SWUpdate 2026.05.01\r\n"

    async def live(self, first_poll: int) -> None:
        """Poll from the given moment on, until the session stops."""
        clock, stop = self._session.clock, self._session.stop
        try:
            await clock.until(first_poll)
            await self._learn(first_poll)
            due = first_poll
            while not stop.is_set():
                await self._turn(due)
                due = max(due + self._session.settings.poll_interval, clock.now())
                await clock.until(due)
        finally:
            self._main.close()

    async def _learn(self, due: int) -> None:
        """Fetch the service's description once, as the real one does before its first poll."""
        with suppress(Abandoned):  # the real one would ask again and again; the failure is counted, that will do
            await self._get(due, "/swagger.json")

    async def _turn(self, due: int) -> None:
        try:
            found = await self._get(due, f"/jobs?clientId={self.client_id}&group=OPEN")
            self._progress.polled.add(self.client_id)
            for job in found.get("content", [])[:1]:
                await self._work(job["id"], job["status"]["state"])
        except Abandoned:
            return

    async def _work(self, job_id: str, state: str) -> None:
        if state in ("INSTALL", "INSTALLING"):
            await self._install(job_id)
            await self._get(await self._later(), f"/jobs/{job_id}")
        for reached, said in (
            ("ACTIVATING", "Notifying Progress Client(s) to activate artifact."),
            ("ACTIVATED", "Finished Update."),
        ):
            await self._put(self._main, job_id, 100, said, await self._later(), state=reached)
        self._progress.finished += 1
        await self._get(self._session.clock.now(), f"/jobs/{job_id}")

    async def _install(self, job_id: str) -> None:
        await self._put(self._main, job_id, 0, "Start INSTALL.", self._session.clock.now())
        second = self._session.south.alone()
        try:
            for percent, said in self._reports():
                await self._put(second, job_id, percent, said, await self._later())
            due = await self._later()
            results = await asyncio.gather(
                self._put(second, job_id, 100, _INSTALLING, due),
                self._put(self._main, job_id, 100, "Artifact 1/1 installation finished.", due),
                return_exceptions=True,
            )
        finally:
            second.close()
        failed = next(filter(None, results), None)
        if failed:
            raise failed
        await self._put(self._main, job_id, 100, "Finished.", await self._later())
        await self._put(self._main, job_id, 100, "Finished.", await self._later(), state="INSTALLED")

    def _reports(self) -> Iterator[tuple[int, str]]:
        downloads = self._random.randint(2, 5)
        for step in range(1, downloads + 1):
            yield 100 * step // downloads, "Downloading artifact"
        yield 1, _INSTALLING
        for percent in range(10, 100, self._random.choice((20, 30, 90))):
            yield percent, _INSTALLING

    async def _later(self) -> int:
        """Wait between two steps; return when the next one was due."""
        due = self._session.clock.now() + self._pause
        await self._session.clock.until(due)
        if self._session.stop.is_set():
            raise Abandoned
        return due

    async def _get(self, due: int, path: str) -> dict[str, Any]:
        request = self._session.south.request("GET", path, headers=_PLAIN + self._named)
        answer = await self._session.measured(POLL, due, self._main, request)
        if answer is None or not answer.ok:
            raise Abandoned
        return answer.document

    async def _put(
        self, side: Side, job_id: str, percent: int, said: str, due: int, *, state: str = "INSTALLING"
    ) -> None:
        document = {
            "state": state,
            "clientId": self.client_id,
            "progress": percent,
            "message": said,
            "context": {"lines": []},
        }
        headers = _PUT + self._named if side is self._main else _PUT
        request = side.request("PUT", f"/jobs/{job_id}/status", document, headers)
        answer = await self._session.measured(REPORT, due, side, request)
        if answer is None or not answer.ok:
            raise Abandoned
        self._progress.acknowledged(job_id, due)
