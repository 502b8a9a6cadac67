"""Identities of jobs."""

from __future__ import annotations

import uuid

from wfx.store.operations import job_id

MOMENT = 1_784_000_000_123_456


def test_an_id_is_a_uuid_of_version_4() -> None:
    """Every id reads as such, also at the ends of time."""
    for moment in (0, MOMENT, -1, 2**63):
        made = job_id(moment)
        read = uuid.UUID(made)
        assert (read.version, read.variant) == (4, uuid.RFC_4122)
        assert str(read) == made


def test_later_ids_come_after_earlier_ones() -> None:
    """The order of ids is that of the milliseconds in which they were made."""
    ids = [job_id(MOMENT + 1000 * n) for n in range(100)]
    assert ids == sorted(ids)


def test_ids_of_one_moment_differ() -> None:
    """Ten thousand jobs of one moment have ten thousand ids, with only their beginning in common."""
    ids = {job_id(MOMENT) for _ in range(10_000)}
    assert len(ids) == 10_000
    assert len({one[:13] for one in ids}) == 1
    for place in (*range(15, 18), *range(20, 23), *range(24, 36)):
        assert len({one[place] for one in ids}) == 16
