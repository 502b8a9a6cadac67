"""Signs of life of devices: noted in memory, and written down together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import pytest
from waiting import until

from tests.store.samples import FLOW, begin
from wfx.domain.device import DeviceDescription, Sighting
from wfx.domain.errors import StoreUnavailable
from wfx.service import devices
from wfx.service.devices import Devices
from wfx.store.memory import open_memory
from wfx.store.protocol import Store


class Recording:
    """A store that remembers which sightings came together."""

    def __init__(self) -> None:
        """Begin with none; fail while there are failures left."""
        self.batches: list[list[str]] = []
        self.forgetting: list[bool] = []
        self.failures: list[Exception] = []

    async def note_sightings(self, sightings: Sequence[Sighting], *, forgets: bool) -> int:
        """Take them, or fail."""
        if self.failures:
            raise self.failures.pop()
        self.batches.append([each.client_id for each in sightings])
        self.forgetting.append(forgets)
        return 0


def devices_of(store: Any, **options: Any) -> Devices:
    """Note for this store."""
    return Devices(cast("Store", store), **options)


async def test_many_signs_are_one_write(monkeypatch: pytest.MonkeyPatch) -> None:
    """However often devices ask, each is written once, some together, in the order of their ids."""
    monkeypatch.setattr(devices, "TOGETHER", 2)
    monkeypatch.setattr(devices, "_PAUSE", 0)
    store = Recording()
    known = devices_of(store)
    for _ in range(3):
        for client_id in ("c", "a", "d", "b", "e"):
            known.note(client_id, "")
    await known.write()
    await known.write()
    assert store.batches == [["a", "b"], ["c", "d"], ["e"]]
    assert store.forgetting == [True, False, False]


async def test_the_first_and_the_last_sign_are_kept() -> None:
    """Of what is noted together the first and the last time count, and the version that was told last."""
    store = await open_memory()
    times = iter([5, 7, 9])
    known = devices_of(store, now=lambda: next(times))
    for version in ("1", "2", ""):
        known.note("a", version)
    await known.write()
    found = await store.get_device("a")
    assert (found.first_seen, found.last_seen, found.version) == (5, 9, "2")
    await store.close()


async def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """Only so many devices are noted until they are written; others are noted the next time, and the log tells so."""
    monkeypatch.setattr(devices, "MOST", 2)
    store = Recording()
    known = devices_of(store)
    for client_id in ("a", "b", "c", "a", "x" * 256, ""):
        known.note(client_id, "")
    assert known.left_out == 3
    await known.write()
    known.note("c", "")
    await known.write()
    assert store.batches == [["a", "b"], ["c"]]
    assert [record.args for record in caplog.records] == [(3,)]


async def test_they_are_written_at_intervals_and_at_the_end() -> None:
    """Signs are written by and by without anybody asking for it, and those that are left when the service ends."""
    store = Recording()
    async with devices_of(store, interval=0.001) as known:
        known.note("a", "")
        await until(lambda: store.batches == [["a"]], "it was written")
    async with devices_of(store, interval=3600) as known:
        known.note("b", "")
    assert store.batches == [["a"], ["b"]]


@pytest.mark.parametrize("failure", [StoreUnavailable("the disk is gone"), ValueError("unexpected")])
async def test_a_failure_loses_a_few_seconds(failure: Exception, caplog: pytest.LogCaptureFixture) -> None:
    """What the store cannot write is lost, which the log tells; what follows is written again."""
    store = Recording()
    store.failures.append(failure)
    async with devices_of(store, interval=0.001) as known:
        known.note("a", "")
        await until(lambda: not store.failures, "it was tried")
        known.note("b", "")
        await until(lambda: store.batches == [["b"]], "it goes on")
    assert [record.levelname for record in caplog.records] in (["WARNING"], ["ERROR"])


async def test_what_was_noted_of_a_deleted_device_is_not_written() -> None:
    """A device that is deleted does not come back by a sign that was noted before."""
    store = await open_memory()
    known = devices_of(store)
    await known.describe("a", DeviceDescription.of({"labels": ["x"]}), None)
    known.note("a", "")
    await known.delete("a")
    await known.write()
    await store.create_workflow(FLOW)
    await store.create_job(FLOW.name, begin("b"))
    assert [device.client_id for device in (await known.list(devices.DeviceQuery())).devices] == ["b"]
    await store.close()
