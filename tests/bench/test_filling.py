"""The store that scale is measured in."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from bench import filling
from wfx.domain.device import DeviceQuery
from wfx.domain.query import JobQuery, Paging
from wfx.store.opening import open_store


def test_jobs_to_be_made_are_the_same_each_time() -> None:
    """Two runs measure the same: devices have 20 jobs, batches 100, and a tenth of all is in each hall."""
    jobs = list(filling.placed(2000))
    assert jobs == list(filling.placed(2000))
    assert set(Counter(job.client_id for job in jobs).values()) == {20}
    tags = Counter(tag for job in jobs for tag in job.tags)
    assert tags["hall-3"] == 200
    assert tags["batch-3"] == 100


async def test_a_filled_store_has_the_jobs_and_a_sample_of_them(tmp_path: Path) -> None:
    """The store has all jobs, the sample's open jobs are open, and its old one was changed as often as asked for."""
    sample = await filling.fill(tmp_path / "wfx.db", 400, changes=700)
    store = await open_store("sqlite", str(tmp_path / "wfx.db"))
    try:
        page = await store.query_jobs(JobQuery(paging=Paging(limit=1, with_total=True)))
        assert page.total == 400
        states = {(await store.get_job(job_id)).state for job_id in sample.open}
        assert states == {"INSTALLING"}
        assert len(sample.any) == 399
        assert sample.old not in sample.any
        assert (await store.get_job(sample.old)).version == 701
        devices = (await store.list_devices(DeviceQuery(limit=100))).devices
        assert len(devices) == 40
        assert sum(device.last_seen is not None for device in devices) == 18
    finally:
        await store.close()
