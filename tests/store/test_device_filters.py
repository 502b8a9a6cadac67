"""Filtered lists of devices, on a store of each kind."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from itertools import product

import pytest

from tests.store.samples import begin, move
from tests.store.test_devices import said, seen
from wfx.domain.device import DeviceQuery, label_key
from wfx.domain.workflow import Workflow
from wfx.service import devices as devices_module
from wfx.service.device_filter import DeviceFilter
from wfx.service.devices import Devices
from wfx.store import device_lists
from wfx.store.protocol import Store

EVEN = 'attributes.parity == "even"'


async def pages(devices: Devices, query: DeviceQuery, text: str) -> list[list[str]]:
    """Read the ids of page after page."""
    found, wanted = [], DeviceFilter(text)
    while True:
        page = await devices.list(query, wanted)
        found.append([device.client_id for device in page.devices])
        if page.next is None:
            return found
        query = replace(query, after=page.next)


async def fill(store: Store, count: int) -> list[str]:
    """Describe so many devices; returns the ids of every other one, which are even."""
    ids = [f"d-{number:04}" for number in range(count)]
    for number, client_id in enumerate(ids):
        await store.describe_device(client_id, said(parity="odd" if number % 2 else "even"), None)
    return ids[::2]


async def test_pages_of_any_size(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many devices are read at once, pages are full but the last ones, and have each device once, in order."""
    even, devices = await fill(store, 12), Devices(store)
    for at_once, limit, descending in product((1, 3, 100), (1, 2, 5, 6, 100), (False, True)):
        monkeypatch.setattr(devices_module, "_AT_ONCE", at_once)
        found = await pages(devices, DeviceQuery(limit=limit, descending=descending), EVEN)
        assert [each for page in found for each in page] == even[:: -1 if descending else 1]
        assert {len(page) for page in found[:-2]} <= {limit}


async def test_what_is_looked_at_is_bounded(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request looks at a bounded number of devices, and its page tells where to go on; an empty one may, too."""
    await fill(store, 12)
    wanted = DeviceFilter('clientId == "d-0007"')
    monkeypatch.setattr(wanted, "most_devices", 5)
    asked, list_devices = [], store.list_devices

    async def counted(query: DeviceQuery) -> object:
        asked.append(query.limit)
        return await list_devices(query)

    monkeypatch.setattr(store, "list_devices", counted)
    devices, query, found = Devices(store), DeviceQuery(limit=3), []
    for _ in range(3):
        page = await devices.list(query, wanted)
        found.append([device.client_id for device in page.devices])
        query = replace(query, after=page.next)
    assert found == [[], ["d-0007"], []]
    assert page.next is None
    assert asked == [5, 5, 5]


async def test_a_store_that_has_looked_far_ends_the_page(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where another condition leaves few devices, a request looks at as many as one without a filter, and no more."""
    monkeypatch.setattr(device_lists, "LOOKED_AT", 4)
    monkeypatch.setattr(devices_module, "_AT_ONCE", 2)
    await store.note_sightings([seen(f"d-{n}", 5, "SW 1" if n == 6 else "SW 2") for n in range(9)], forgets=True)
    asked, list_devices = 0, store.list_devices

    async def counted(query: DeviceQuery) -> object:
        nonlocal asked
        asked += 1
        return await list_devices(query)

    monkeypatch.setattr(store, "list_devices", counted)
    found = await pages(Devices(store), DeviceQuery(version="SW 1", limit=3), "true")
    assert [each for page in found for each in page] == ["d-6"]
    assert asked == len(found) == 3


async def test_beside_other_conditions(store: Store, flow: Workflow) -> None:
    """A filter looks at the devices that the other conditions leave, and at the jobs that they have."""
    job = await store.create_job(flow.name, begin(client_id="a"))
    await store.create_job(flow.name, begin(client_id="b"))
    await store.change_job(job.id, move("RUN"))
    await store.describe_device("b", said("canary"), None)
    await store.note_sightings([seen("c", 5, "SW 1"), seen("d", 6, "SW 2")], forgets=True)
    devices = Devices(store)
    for query, text, expected in (
        (DeviceQuery(), 'currentJob.state == "RUN"', ["a"]),
        (DeviceQuery(), "currentJob != null", ["a", "b"]),
        (DeviceQuery(keys=(label_key("canary"),)), 'clientId matches "a|b"', ["b"]),
        (DeviceQuery(prefix="c"), 'version matches "^SW"', ["c"]),
        (DeviceQuery(version="SW 2"), "labels == []", ["d"]),
        (DeviceQuery(), 'version in ["SW 1", "SW 2"]', ["c", "d"]),
        (DeviceQuery(), 'lastSeen == null AND NOT (labels contains "canary")', ["a"]),
    ):  # fmt: skip
        found = await pages(devices, query, text)
        assert [each for page in found for each in page] == expected, text


async def test_the_position_is_that_of_the_oldest_device(
    store: Store, flow: Workflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What happens while a page is read is behind its position, so that who goes on from there misses nothing."""
    monkeypatch.setattr(devices_module, "_AT_ONCE", 1)
    await fill(store, 4)
    head, list_devices = (await store.log_bounds()).head, store.list_devices

    async def busy(query: DeviceQuery) -> object:
        page = await list_devices(query)
        await store.create_job(flow.name, begin(client_id="z"))
        return page

    monkeypatch.setattr(store, "list_devices", busy)
    page = await Devices(store).list(DeviceQuery(), DeviceFilter(EVEN))
    assert [device.client_id for device in page.devices] == ["d-0000", "d-0002"]
    assert page.position == head


async def test_others_have_their_turn(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between some devices and the next ones everything else goes on, after a number of steps."""
    await fill(store, 12)
    page = await store.list_devices(DeviceQuery())

    async def at_once(_: DeviceQuery) -> object:
        return page

    monkeypatch.setattr(store, "list_devices", at_once)
    wanted, turns = DeviceFilter(EVEN), 0
    monkeypatch.setattr(wanted, "devices_per_turn", 3)

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    await Devices(store).list(DeviceQuery(), wanted)
    counting.cancel()
    assert turns == 4
