"""A fleet at work: devices poll and report, operators create jobs and read lists of jobs and devices."""

from __future__ import annotations

import asyncio
import random
import secrets
from collections.abc import Awaitable, Callable
from itertools import count, cycle
from typing import Any

from wfx_loadtest import direct
from wfx_loadtest.duration import SECOND
from wfx_loadtest.facts import Fact
from wfx_loadtest.ledger import Ledger
from wfx_loadtest.pacer import Pacer, fire
from wfx_loadtest.scenario.device import Device, Progress
from wfx_loadtest.scenario.listening import listening, new_ledger
from wfx_loadtest.scenario.registry import Registry
from wfx_loadtest.session import Session

LOOK = "Operators: list jobs"
LIST_DEVICES = "Operators: list devices"
SHOW_DEVICE = "Operators: show a device"
CREATE = "Operators: create jobs"
_DRAIN = 30 * SECOND
"""How long the devices may take to finish what they have when the operators have stopped."""
_LIST = "/jobs?pagination=true&sort=desc&offset=0&limit=20"


async def run(session: Session) -> list[Fact]:
    """Run the fleet for the duration, let it finish its jobs, and show what became of them and of the events."""
    await direct.ensure(session.north)
    prefix = f"loadtest-{secrets.token_hex(4)}-"
    ledger = new_ledger(session, prefix)
    progress = Progress(ledger.acknowledged)
    devices = [Device(session, f"{prefix}{number}", progress) for number in range(session.settings.devices)]
    registry = Registry(session, prefix)
    offered = registry if await registry.is_offered() else None
    operators = Operators(session, [device.client_id for device in devices], ledger, offered)
    async with listening(session, ledger, f"workflows={direct.NAME}") as streams:
        await _work(session, devices, operators, progress)
    jobs = Fact(
        "Jobs",
        ("created", "finished", "open"),
        (str(operators.created), str(progress.finished), str(operators.created - progress.finished)),
    )
    known = await offered.audit(progress.polled) if offered else []
    return [jobs, *known, *ledger.facts(sum(stream.lost for stream in streams))]


async def _work(session: Session, devices: list[Device], operators: Operators, progress: Progress) -> None:
    start = session.begin()
    between = session.settings.poll_interval // max(len(devices), 1)
    fleet = [asyncio.create_task(device.live(start + number * between)) for number, device in enumerate(devices)]
    try:
        await operators.work(start)
        deadline = session.clock.now() + _DRAIN
        while progress.finished < operators.created and session.clock.now() < deadline and not session.stop.is_set():
            await session.clock.until(session.clock.now() + SECOND // 20)
    finally:
        for task in fleet:
            task.cancel()
        ended = await asyncio.gather(*fleet, return_exceptions=True)
    for failure in ended:
        if isinstance(failure, Exception):
            raise failure


class Operators:
    """People and scripts on the north side: they create jobs for all devices in turn, and read lists."""

    def __init__(self, session: Session, clients: list[str], ledger: Ledger, registry: Registry | None) -> None:
        """Create jobs for these client ids, and read jobs and, if there is one, the registry in turn."""
        self.created = 0
        self._session = session
        self._clients = clients
        self._ledger = ledger
        self._number = count()
        self._registry = registry
        looks: tuple[Callable[[int], Awaitable[None]], ...] = (self._list_jobs,)
        self._looks = cycle((*looks, self._list_devices, self._show_device) if registry else looks)

    async def work(self, start: int) -> None:
        """Create and look at the two rates for the duration."""
        settings, clock, stop = self._session.settings, self._session.clock, self._session.stop
        async with asyncio.TaskGroup() as both:
            both.create_task(fire(Pacer(settings.write_freq, settings.duration, clock), start, stop, self._create))
            both.create_task(fire(Pacer(settings.read_freq, settings.duration, clock), start, stop, self._look))

    async def _create(self, due: int) -> None:
        number = next(self._number)
        north = self._session.north
        request = north.request("POST", "/jobs", _order(self._clients[number % len(self._clients)], number))
        answer = await self._session.measured(CREATE, due, north, request)
        if answer is not None and answer.status == 201:
            self.created += 1
            self._ledger.acknowledged(answer.document.get("id", ""), due)

    async def _look(self, due: int) -> None:
        await next(self._looks)(due)

    async def _list_devices(self, due: int) -> None:
        assert self._registry is not None, "only then is it asked for"
        answer = await self._session.measured(LIST_DEVICES, due, self._session.north, self._registry.page())
        if answer is not None and answer.ok:
            self._registry.read(answer)

    async def _show_device(self, due: int) -> None:
        assert self._registry is not None, "only then is it asked for"
        if not self._registry.listed:
            await self._list_devices(due)  # nobody is known yet
        else:
            request = self._registry.device(random.choice(self._registry.listed))  # noqa: S311 - any of them will do
            await self._session.measured(SHOW_DEVICE, due, self._session.north, request)

    async def _list_jobs(self, due: int) -> None:
        await self._session.measured(LOOK, due, self._session.north, self._session.north.request("GET", _LIST))


def _order(client_id: str, number: int) -> dict[str, Any]:
    artifact = {"name": "payload.bin", "version": "1.0", "uri": f"http://localhost:8080/download/{number}.swu"}
    return {
        "clientId": client_id,
        "workflow": direct.NAME,
        "tags": ["loadtest"],
        "definition": {"version": "1.0", "type": ["application"], "artifacts": [artifact]},
    }
