"""Devices in memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from wfx.domain.device import FINISHED, Device, DeviceDescription, DeviceJob, DeviceList, DeviceQuery
from wfx.domain.errors import DeviceChanged, DeviceInUse, DeviceNotFound
from wfx.domain.job import Job
from wfx.domain.timestamp import Timestamp
from wfx.store.device_lists import (
    MOST_UNCLAIMED,
    NEWEST_JOBS,
    UNCLAIMED_AGE,
    Candidate,
    id_range,
    is_id,
    most_candidates,
    page_of,
)
from wfx.store.operations import DeleteDevice, DescribeDevice, NoteSightings

_Jobs = Mapping[str, Sequence[Job]]
"""The jobs of each client, in the order of their creation."""


class MemoryDevices:
    """What the memory backend knows of devices beside their jobs."""

    def __init__(self) -> None:
        self._rows: dict[str, Device] = {}
        self._unclaimed: set[str] = set()

    def list(self, query: DeviceQuery, jobs: Iterable[Job], log_id: str, head: int) -> DeviceList:
        """Return a page of devices; the jobs come in the order of their creation."""
        of_clients = _by_client(jobs)
        most = most_candidates(query, indexed=True)
        candidates = [self._candidate(client_id) for client_id in self._in_range(query, of_clients)][:most]
        ids, following = page_of(query, candidates, most)
        devices = tuple(self._device(client_id, of_clients) for client_id in ids)
        return DeviceList(devices, following, log_id, head)

    def get(self, client_id: str, jobs: Iterable[Job]) -> Device:
        """Return one device. Raises DeviceNotFound."""
        of_clients = _by_client(jobs)
        if not is_id(client_id) or (client_id not in self._rows and client_id not in of_clients):
            raise DeviceNotFound(client_id)
        return self._device(client_id, of_clients)

    def perform(self, operation: NoteSightings | DescribeDevice | DeleteDevice, jobs: Iterable[Job]) -> int | None:
        """Do an operation on devices."""
        match operation:
            case NoteSightings():
                return self._note(operation, _by_client(jobs))
            case DescribeDevice(client_id, description):
                before = self._row(client_id)
                allowed = operation.allowed
                if allowed is not None and DeviceDescription(before.description).tag not in allowed:
                    raise DeviceChanged(client_id)
                self._rows[client_id] = before._replace(description=description.encoded)
                self._unclaimed.discard(client_id)
            case DeleteDevice(client_id):
                if client_id in _by_client(jobs):
                    raise DeviceInUse(client_id)
                if self._rows.pop(client_id, None) is None:
                    raise DeviceNotFound(client_id)
                self._unclaimed.discard(client_id)
        return None

    def _note(self, operation: NoteSightings, jobs: _Jobs) -> int:
        self._unclaimed -= {each.client_id for each in operation.sightings} & jobs.keys()
        if operation.forgets and len(self._unclaimed) + len(operation.sightings) > MOST_UNCLAIMED:
            self._forget(operation.now - UNCLAIMED_AGE, jobs)
        left_out = 0
        for client_id, first, last, version in sorted(operation.sightings):
            before = self._row(client_id)
            if client_id not in self._rows and client_id not in jobs:
                if len(self._unclaimed) >= MOST_UNCLAIMED:
                    left_out += 1
                    continue
                self._unclaimed.add(client_id)
            is_latest = before.last_seen is None or last >= before.last_seen
            self._rows[client_id] = before._replace(
                first_seen=Timestamp(first if before.first_seen is None else min(before.first_seen, first)),
                last_seen=Timestamp(last) if is_latest else before.last_seen,
                version=version if version and is_latest else before.version,
            )
        return left_out

    def _forget(self, before: int, jobs: _Jobs) -> None:
        for client_id in self._unclaimed - jobs.keys():
            if (self._rows[client_id].last_seen or 0) < before:
                del self._rows[client_id]
                self._unclaimed.discard(client_id)

    def _row(self, client_id: str) -> Device:
        return self._rows.get(client_id) or Device(client_id)

    def _in_range(self, query: DeviceQuery, jobs: _Jobs) -> Sequence[str]:
        low, comparison, high = id_range(query)
        return [
            client_id
            for client_id in sorted(self._rows.keys() | jobs.keys(), reverse=query.descending)
            if (low < client_id if comparison == ">" else low <= client_id) and client_id < high
            and set(query.keys) <= set(DeviceDescription(self._row(client_id).description).keys)
            and (client_id in self._rows or not query.only_seen)
        ]  # fmt: skip

    def _candidate(self, client_id: str) -> Candidate:
        row = self._row(client_id)
        return Candidate(client_id, row.last_seen, row.version)

    def _device(self, client_id: str, jobs: _Jobs) -> Device:
        newest = jobs.get(client_id, ())[: -NEWEST_JOBS - 1 : -1]
        ended = [job for job in newest if job.group in FINISHED]
        going_on = [job for job in newest if job.group not in FINISHED]
        return self._row(client_id)._replace(
            current=_shown(going_on[0]) if going_on else None, last=_shown(ended[0]) if ended else None
        )


def _by_client(jobs: Iterable[Job]) -> dict[str, list[Job]]:
    found: dict[str, list[Job]] = {}
    for job in jobs:
        found.setdefault(job.client_id, []).append(job)
    return found


def _shown(job: Job) -> DeviceJob:
    return DeviceJob(job.id, job.workflow.name, job.group, job.state, job.mtime)
