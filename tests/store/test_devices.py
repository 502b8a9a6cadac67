"""The contract of a store, as far as it concerns devices."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.store.backends import NOON, Backend, SetClock
from tests.store.samples import FLOW, begin, move
from wfx.domain.device import (
    NOTHING_SAID,
    Device,
    DeviceDescription,
    DeviceJob,
    DeviceQuery,
    Sighting,
    attribute_key,
    label_key,
)
from wfx.domain.errors import DeviceChanged, DeviceInUse, DeviceNotFound
from wfx.domain.job import Job
from wfx.domain.job_list import Period
from wfx.domain.workflow import Actor, Workflow
from wfx.store import device_lists
from wfx.store.protocol import Store

SECOND = 1_000_000


def said(*labels: str, **attributes: str) -> DeviceDescription:
    """Describe a device."""
    return DeviceDescription.of({"attributes": attributes, "labels": labels})


def seen(client_id: str, moment: int, version: str = "") -> Sighting:
    """See a device once."""
    return Sighting(client_id, moment, moment, version)


async def note(store: Store, *sightings: Sighting, forgets: bool = True) -> int:
    """Note these."""
    return await store.note_sightings(sightings, forgets=forgets)


async def pages(store: Store, query: DeviceQuery) -> list[list[Device]]:
    """Read page after page, up to the last one."""
    found, after = [], query.after
    while True:
        page = await store.list_devices(replace(query, after=after))
        found.append(list(page.devices))
        if (after := page.next) is None:
            return found


async def listed(store: Store, **conditions: Any) -> list[str]:
    """Return the client ids of all devices that fulfil the conditions."""
    found = [await pages(store, DeviceQuery(limit=limit, **conditions)) for limit in (1000, 2)]
    ids = [[device.client_id for page in some for device in page] for some in found]
    assert ids[0] == ids[1], "pages of any size have the same devices"
    return ids[0]


def shown(job: Job) -> DeviceJob:
    """Say in plain words what is shown of a job."""
    return DeviceJob(job.id, job.workflow.name, job.group, job.state, job.mtime)


async def ended(store: Store, job: Job) -> Job:
    """Have the job's device do it."""
    await store.change_job(job.id, move("RUN"))
    return await store.change_job(job.id, move("DONE"))


async def test_a_job_makes_its_client_known(store: Store, flow: Workflow) -> None:
    """From the creation of a job on its client is a device that was never seen; without jobs it is none."""
    with pytest.raises(DeviceNotFound, match="there is no device 'press-7'"):
        await store.get_device("press-7")
    job = await store.create_job(flow.name, begin())
    expected = Device("press-7", None, None, "", NOTHING_SAID.encoded, shown(job), None)
    assert await store.get_device("press-7") == expected
    page = await store.list_devices(DeviceQuery())
    bounds = await store.log_bounds()
    assert (page.devices, page.next, page.log_id, page.position) == ((expected,), None, bounds.log_id, bounds.head)
    await store.delete_job(job.id)
    assert await listed(store) == []
    with pytest.raises(DeviceNotFound):
        await store.get_device("press-7")


async def test_a_sighting_makes_a_device_known(store: Store) -> None:
    """Who was seen is a device with the times of the first and the last sighting and the version that it told last."""
    assert await note(store, Sighting("a", 5, 7, "SWUpdate 1"), seen("b", 6)) == 0
    assert await note(store, Sighting("a", 8, 9, "SWUpdate 2"), seen("b", 7, "old")) == 0
    assert await note(store, seen("a", 12)) == 0
    nothing = NOTHING_SAID.encoded
    assert await store.get_device("a") == Device("a", 5, 12, "SWUpdate 2", nothing, None, None)  # type: ignore[arg-type]
    assert await store.get_device("b") == Device("b", 6, 7, "old", nothing, None, None)  # type: ignore[arg-type]


async def test_the_latest_sighting_counts(store: Store) -> None:
    """One that is noted late, as by another server, changes nothing but the time of the first."""
    await note(store, seen("a", 10, "new"))
    await note(store, Sighting("a", 3, 4, "old"))
    found = await store.get_device("a")
    assert (found.first_seen, found.last_seen, found.version) == (3, 10, "new")


async def test_jobs_of_a_device(store: Store, flow: Workflow) -> None:
    """The present job is the newest that has not ended; the last result is that of the newest that has."""
    first, second, third = [await store.create_job(flow.name, begin()) for _ in range(3)]
    assert (await store.get_device("press-7")).current == shown(third)
    first, third = await ended(store, first), await ended(store, third)
    found = await store.get_device("press-7")
    assert (found.current, found.last) == (shown(second), shown(third))
    await store.delete_job(second.id)
    found = await store.get_device("press-7")
    assert (found.current, found.last) == (None, shown(third))


async def test_a_state_in_no_group_has_not_ended(store: Store, flow: Workflow) -> None:
    """A job in a state of no group is the present one, with an empty group."""
    job = await store.create_job(flow.name, begin())
    job = await store.change_job(job.id, move("LOST", actor=Actor.WFX))
    found = await store.get_device("press-7")
    assert (found.current, found.last) == (shown(job), None)
    assert found.current is not None
    assert found.current.group == ""


async def test_only_the_newest_jobs_are_looked_at(
    store: Store, flow: Workflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job that is behind more jobs than are looked at is not shown."""
    for module in ("sqlite.devices", "postgres.devices", "memory_devices"):
        monkeypatch.setattr(f"wfx.store.{module}.NEWEST_JOBS", 2)
    await store.create_job(flow.name, begin())
    for _ in range(2):
        last = await ended(store, await store.create_job(flow.name, begin()))
    found = await store.get_device("press-7")
    assert (found.current, found.last) == (None, shown(last))


@pytest.fixture
async def fleet(store: Store, flow: Workflow) -> Store:
    """Ten devices: some have jobs, some were seen, some are described."""
    for client_id in ("press-1", "press-1", "press-2", "pump-1", "Übung", "x" * 255, "x" * 256, "x" * 600):
        await store.create_job(flow.name, begin(client_id))
    await note(store, seen("press-1", NOON, "SW 1"), seen("press-3", NOON + SECOND, "SW 2"), seen("a", 7, "SW 1"))
    await note(store, seen("ü", NOON + 2 * SECOND))
    await store.describe_device("press-1", said("canary", site="hall1", line="2"))
    await store.describe_device("press-2", said("canary", "old", site="hall1"))
    await store.describe_device("spare-1", said("old", site="hall2"))
    return store


ALL = ["a", "press-1", "press-2", "press-3", "pump-1", "spare-1", "x" * 255, "Übung", "ü"]
CANARY, OLD = label_key("canary"), label_key("old")
HALL, LINE = attribute_key("site", "hall1"), attribute_key("line", "2")
CONDITIONS: list[tuple[dict[str, Any], Sequence[str]]] = [
    ({}, ALL),
    ({"prefix": "press-"}, ["press-1", "press-2", "press-3"]),
    ({"prefix": "p"}, ["press-1", "press-2", "press-3", "pump-1"]),
    ({"prefix": "press-2"}, ["press-2"]), ({"prefix": "PRESS"}, []), ({"prefix": "Ü"}, ["Übung"]),
    ({"prefix": "\U0010ffff"}, []), ({"prefix": "\ud7ff"}, []), ({"prefix": "x" * 255}, ["x" * 255]),
    ({"keys": (CANARY,)}, ["press-1", "press-2"]), ({"keys": (HALL,)}, ["press-1", "press-2"]),
    ({"keys": (CANARY, OLD)}, ["press-2"]), ({"keys": (OLD, HALL)}, ["press-2"]), ({"keys": (LINE, OLD)}, []),
    ({"keys": (OLD,)}, ["press-2", "spare-1"]), ({"keys": (OLD,), "prefix": "s"}, ["spare-1"]),
    ({"keys": (label_key("cana"),)}, []), ({"keys": (attribute_key("site", "hall"),)}, []),
    ({"version": "SW 1"}, ["a", "press-1"]), ({"version": "SW 1", "prefix": "p"}, ["press-1"]),
    ({"version": "SW"}, []), ({"version": "SW 1", "keys": (CANARY,)}, ["press-1"]),
    ({"seen": Period(since=NOON)}, ["press-1", "press-3", "ü"]),
    ({"seen": Period(until=NOON)}, ["a", "press-2", "pump-1", "spare-1", "x" * 255, "Übung"]),
    ({"seen": Period(until=NOON + 1), "keys": (CANARY,)}, ["press-1", "press-2"]),
    ({"seen": Period(since=NOON), "keys": (CANARY,)}, ["press-1"]),
    ({"seen": Period(8, NOON + SECOND)}, ["press-1"]),
    ({"seen": Period(until=NOON + SECOND), "version": "SW 1"}, ["a", "press-1"]),
]  # fmt: skip


@pytest.mark.parametrize("looked_at", [1000, 3])
async def test_every_condition_finds_what_it_says(
    fleet: Store, monkeypatch: pytest.MonkeyPatch, looked_at: int
) -> None:
    """All conditions must hold, in either order, however few devices are looked at for one page."""
    monkeypatch.setattr(device_lists, "LOOKED_AT", looked_at)
    for conditions, expected in CONDITIONS:
        assert await listed(fleet, **conditions) == list(expected), conditions
        assert await listed(fleet, **conditions, descending=True) == list(expected)[::-1], conditions


@pytest.mark.parametrize("other", ["0", "a\1", "a\1b", "bb", "d", "\U0010ffff"])
async def test_one_client_among_devices(store: Store, flow: Workflow, other: str) -> None:
    """Where all devices but one are described, that one is in its place, wherever it is."""
    for client_id in ("a", "b", "c"):
        await store.describe_device(client_id, said())
    assert await listed(store) == ["a", "b", "c"]
    await store.create_job(flow.name, begin(other))
    assert await listed(store) == sorted(["a", "b", "c", other])
    assert await listed(store, descending=True) == sorted(["a", "b", "c", other], reverse=True)


async def test_a_page_looks_at_few_devices(fleet: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where few devices fulfil a condition, pages end early, and those that follow find the rest."""
    monkeypatch.setattr(device_lists, "LOOKED_AT", 3)
    found = await pages(fleet, DeviceQuery(seen=Period(until=8), limit=3))
    assert [len(page) for page in found] == [2, 3, 1]


@pytest.mark.parametrize("descending", [False, True])
async def test_a_page_ends_at_what_may_be_an_id(
    store: Store, flow: Workflow, monkeypatch: pytest.MonkeyPatch, descending: bool
) -> None:
    """Jobs of clients whose ids are too long for devices end no page with such an id, however many there are."""
    monkeypatch.setattr(device_lists, "LOOKED_AT", 2)
    for client_id in ("a", *("b" * 300 + str(number) for number in range(5)), "b" * 256 + "z", "b" * 255, "c"):
        await store.create_job(flow.name, begin(client_id))
    found, after = [], None
    while True:
        page = await store.list_devices(DeviceQuery(limit=1, after=after, descending=descending))
        found += [device.client_id for device in page.devices]
        if (after := page.next) is None:
            break
        assert len(after) <= 256
    assert found == sorted(["a", "b" * 255, "c"], reverse=descending)


async def test_what_is_deleted_between_two_pages_moves_no_other(fleet: Store) -> None:
    """Whatever happens between two pages, each device that was there all the time comes once."""
    page = await fleet.list_devices(DeviceQuery(limit=4))
    await fleet.delete_device("press-3")
    await note(fleet, seen("aa", 9), seen("pz", 9))
    rest = await listed(fleet, after=page.next)
    assert rest == ["pump-1", "pz", "spare-1", "x" * 255, "Übung", "ü"]


async def test_a_description_is_replaced(store: Store) -> None:
    """A new description takes the place of the one before; devices are found by the new one alone."""
    await store.describe_device("a", said("x", site="1"))
    assert (await store.get_device("a")).description == b'{"attributes":{"site":"1"},"labels":["x"]}'
    await store.describe_device("a", said("y", site="2"))
    assert await listed(store, keys=(label_key("x"),)) == await listed(store, keys=(attribute_key("site", "1"),)) == []
    assert await listed(store, keys=(label_key("y"), attribute_key("site", "2"))) == ["a"]
    await store.describe_device("a", NOTHING_SAID)
    assert await listed(store, keys=(label_key("y"),)) == []
    assert await listed(store) == ["a"]


async def test_a_description_that_has_changed_is_kept(store: Store) -> None:
    """With an expected tag the description is replaced if it has that tag still, and else nothing happens."""
    await store.describe_device("a", said("x"), [NOTHING_SAID.tag])
    for tags in ([NOTHING_SAID.tag, said("z").tag], []):
        with pytest.raises(DeviceChanged, match="the attributes of device 'a' have changed"):
            await store.describe_device("a", said("y"), tags)
    with pytest.raises(DeviceChanged):
        await store.describe_device("b", said("y"), [said("x").tag])
    assert await listed(store) == ["a"]
    await store.describe_device("a", said("y"), [said("z").tag, said("x").tag])
    assert (await store.get_device("a")).description == said("y").encoded


async def test_a_repeated_description_is_no_contradiction(store: Store) -> None:
    """What is said already can be said again, whatever was expected: the first answer may have been lost."""
    for _ in range(2):
        await store.describe_device("a", said("x"), [NOTHING_SAID.tag])
        await store.describe_device("b", NOTHING_SAID, [said("x").tag])
    assert await listed(store) == ["a", "b"]
    assert (await store.get_device("a")).description == said("x").encoded


async def test_of_changes_at_once_one_wins(store: Store) -> None:
    """Of all who expect the same description one replaces it."""
    tries = (store.describe_device("a", said(f"l{n}"), [NOTHING_SAID.tag]) for n in range(5))
    done = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(each is None for each in done) == 1
    assert sum(isinstance(each, DeviceChanged) for each in done) == 4


async def test_a_device_is_deleted(fleet: Store) -> None:
    """A device without jobs can be deleted, with all that was known of it; one with jobs cannot."""
    with pytest.raises(DeviceInUse, match="device 'press-1' has jobs; delete these first"):
        await fleet.delete_device("press-1")
    await fleet.delete_device("spare-1")
    for unknown in ("spare-1", "nobody", "", "\0", "\ud800", "x" * 256):
        with pytest.raises(DeviceNotFound):
            await fleet.delete_device(unknown)
    assert await listed(fleet, keys=(OLD,)) == ["press-2"]
    await note(fleet, seen("spare-1", 99))
    found = await fleet.get_device("spare-1")
    assert (found.first_seen, found.description) == (99, NOTHING_SAID.encoded)


@pytest.mark.parametrize("client_id", ["", "\0", "a\0b", "\ud800", "x" * 256, "x" * 600])
async def test_what_is_no_device(store: Store, client_id: str) -> None:
    """Ids that are empty, too long or no text are of no device: they are not found, described or noted."""
    with pytest.raises(DeviceNotFound):
        await store.get_device(client_id)
    with pytest.raises(DeviceNotFound):
        await store.describe_device(client_id, said("x"))
    assert await note(store, seen(client_id, 1), seen("a", 1)) == 1
    assert await listed(store) == ["a"]


@pytest.fixture
def two_unclaimed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Room for two devices that nobody knows."""
    for module in ("sqlite.devices", "postgres.devices", "memory_devices"):
        monkeypatch.setattr(f"wfx.store.{module}.MOST_UNCLAIMED", 2)


@pytest.mark.usefixtures("two_unclaimed")
async def test_few_devices_are_kept_that_nobody_knows(store: Store, flow: Workflow, clock: SetClock) -> None:
    """Of devices without jobs and descriptions a bounded number is kept; known ones are noted all the same."""
    await store.create_job(flow.name, begin("known"))
    await store.describe_device("spare", said("x"))
    assert await note(store, seen("a", clock()), seen("b", clock()), seen("c", clock()), seen("known", clock())) == 1
    assert await note(store, seen("d", clock()), seen("a", clock() + 1), seen("spare", clock())) == 1
    assert await listed(store, seen=Period(since=0)) == ["a", "b", "known", "spare"]
    assert (await store.get_device("a")).last_seen == clock() + 1


@pytest.mark.usefixtures("two_unclaimed")
async def test_whoever_becomes_known_makes_room(store: Store, flow: Workflow, clock: SetClock) -> None:
    """A device that gets a job or a description is none of those that nobody knows any more."""
    await note(store, seen("a", clock()), seen("b", clock()))
    await store.describe_device("a", said("x"))
    assert await note(store, seen("c", clock()), seen("d", clock())) == 1
    await store.create_job(flow.name, begin("b"))
    assert await note(store, seen("b", clock())) == 0
    assert await note(store, seen("d", clock())) == 0
    assert await listed(store) == ["a", "b", "c", "d"]


@pytest.mark.usefixtures("two_unclaimed")
async def test_those_not_seen_for_long_make_room(store: Store, flow: Workflow, clock: SetClock) -> None:
    """When there is no room, devices that nobody knows and that were not seen for a day are forgotten."""
    await note(store, seen("a", clock()), seen("b", clock()))
    clock.now += device_lists.UNCLAIMED_AGE + 1
    await store.create_job(flow.name, begin("b"))
    assert await note(store, seen("c", clock()), forgets=False) == 1
    assert await note(store, seen("c", clock())) == 0
    assert await listed(store) == ["b", "c"]
    assert (await store.get_device("b")).first_seen is not None


async def test_devices_are_there_after_a_restart(lasting: Backend, tmp_path: Path, clock: SetClock) -> None:
    """What is known of devices is durable."""
    async with lasting.open(tmp_path, clock) as store:
        await note(store, seen("a", 7, "SW 1"))
        await store.describe_device("a", said("x", site="1"))
        before = await store.get_device("a")
    async with lasting.open(tmp_path, clock) as store:
        assert await store.get_device("a") == before
        assert await listed(store, keys=(label_key("x"),)) == ["a"]
        await store.create_workflow(FLOW)


async def test_jobs_and_position_are_of_one_moment(store: Store, flow: Workflow) -> None:
    """While jobs of ever new clients are created, a page has as many devices as its position has events for."""
    before = (await store.log_bounds()).head
    writes = asyncio.gather(*(store.create_job(flow.name, begin(f"c{n}")) for n in range(100)))
    reads = asyncio.gather(*(store.list_devices(DeviceQuery(limit=1000)) for _ in range(10)))
    _, found = await asyncio.gather(writes, reads)
    for page in found:
        assert len(page.devices) == page.position - before
