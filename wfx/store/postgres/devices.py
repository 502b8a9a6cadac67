"""Devices as rows: what was seen of clients, what operators say about them, and their present jobs."""

from __future__ import annotations

from collections.abc import Sequence

from wfx.domain.device import NOTHING_SAID, Device, DeviceJob, DeviceList, DeviceQuery
from wfx.domain.errors import DeviceChanged, DeviceInUse, DeviceNotFound
from wfx.store.device_lists import (
    MOST_UNCLAIMED,
    NEWEST_JOBS,
    UNCLAIMED_AGE,
    Candidate,
    first_of_both,
    id_range,
    is_id,
    most_candidates,
    page_of,
)
from wfx.store.operations import DeleteDevice, DescribeDevice, DeviceOperation, NoteSightings
from wfx.store.postgres.connections import Plain
from wfx.store.postgres.rows import Row
from wfx.store.postgres.statements import SQL

_NEXT = "\1"
"""What makes an id the next possible one: PostgreSQL's texts have no U+0000."""


async def list_devices(plain: Plain, query: DeviceQuery) -> DeviceList:
    """Return a page of devices."""
    async with plain.transaction(isolation="repeatable_read", readonly=True):
        most = most_candidates(query, indexed=True)
        ids, following = page_of(query, await _candidates(plain, query, most), most)
        devices = await _devices(plain, ids)
        bounds = await plain.fetchrow(SQL["bounds"])
    assert bounds is not None
    return DeviceList(devices, following, bounds[0], bounds[2])


async def get_device(plain: Plain, client_id: str) -> Device:
    """Return one device. Raises DeviceNotFound."""
    async with plain.transaction(isolation="repeatable_read", readonly=True):
        if not is_id(client_id) or not any(await plain.fetchrow(SQL["is_device"], client_id) or ()):
            raise DeviceNotFound(client_id)
        return (await _devices(plain, [client_id]))[0]


async def perform(plain: Plain, operation: DeviceOperation) -> int | None:
    """Do an operation on devices."""
    match operation:
        case NoteSightings():
            return await _note_sightings(plain, operation)
        case DescribeDevice():
            await _describe(plain, operation)
        case DeleteDevice():
            await _delete(plain, operation)
    return None


async def _note_sightings(plain: Plain, operation: NoteSightings) -> int:
    """Note when devices were seen; returns how many were left out, since there is no room for devices without jobs."""
    count = len(operation.sightings)
    if operation.forgets:
        await plain.execute(SQL["forget_unclaimed"], operation.now - UNCLAIMED_AGE, count, MOST_UNCLAIMED)
    columns = zip(*operation.sightings, strict=True)
    left_out: int = await plain.fetchval(SQL["note_sightings"], *map(list, columns), MOST_UNCLAIMED)
    return left_out


async def _describe(plain: Plain, operation: DescribeDevice) -> None:
    """Replace the description of a device. Raises DeviceChanged."""
    wanted = operation.description
    allowed = None if operation.allowed is None else list(operation.allowed)
    values = (operation.client_id, wanted.encoded.decode(), wanted.keys, allowed, NOTHING_SAID.tag)
    if await plain.fetchval(SQL["describe_device"], *values) is None:
        raise DeviceChanged(operation.client_id)


async def _delete(plain: Plain, operation: DeleteDevice) -> None:
    """Forget a device. Raises DeviceNotFound and DeviceInUse."""
    if await plain.fetchval(SQL["delete_device"], operation.client_id) is None:
        _, has_jobs = await plain.fetchrow(SQL["is_device"], operation.client_id) or (False, False)
        raise DeviceInUse(operation.client_id) if has_jobs else DeviceNotFound(operation.client_id)


async def _candidates(plain: Plain, query: DeviceQuery, most: int) -> list[Candidate]:
    """Return the next devices in order, of those that have the query's keys."""
    low, comparison, high = id_range(query)
    if "\0" in low + "".join(query.keys):
        return []
    keys = list(query.keys) or None
    rows = await plain.fetch(_ordered("devices_in_range", query, comparison), low, high, most, keys)
    known = [Candidate(*row) for row in rows]
    if keys or query.only_seen or (known and not await _has_others(plain, query, known, most)):
        return known
    clients = await plain.fetch(_ordered("clients_in_range", query, comparison), low, high, most)
    return first_of_both(query, known, [row[0] for row in clients], most)


async def _has_others(plain: Plain, query: DeviceQuery, known: Sequence[Candidate], most: int) -> bool:
    """Tell whether clients without rows are among the next devices; where all have some, they need not be listed."""
    low, comparison, high = id_range(query)
    ids = sorted(each.client_id for each in known)
    begins = [low if comparison == ">=" else low + _NEXT, *(each + _NEXT for each in ids)]
    gaps = [*zip(begins, [*ids, high], strict=True)]
    if len(known) >= most:
        del gaps[0 if query.descending else -1]  # beyond the last one that is looked at
    found: bool = await plain.fetchval(SQL["has_clients_between"], *map(list, zip(*gaps, strict=True)))
    return found


def _ordered(name: str, query: DeviceQuery, comparison: str) -> str:
    order, step = "ASC", "left(client_id, 500) > client.found AND left(client_id, 500) < $2"
    if query.descending:
        order, step = "DESC", "left(client_id, 500) < client.found AND left(client_id, 500) >= $1"
    return SQL[name].replace(":comparison", comparison).replace(":order", order).replace(":step", step)


async def _devices(plain: Plain, ids: Sequence[str]) -> tuple[Device, ...]:
    """Return devices by their ids, which may be of clients without a row."""
    rows: dict[str, Row] = {row[0]: row for row in await plain.fetch(SQL["devices_by_id"], ids)}
    jobs: dict[tuple[str, bool], DeviceJob] = {}
    for client_id, has_ended, *job in await plain.fetch(SQL["jobs_of_devices"], ids, NEWEST_JOBS):
        jobs[client_id, has_ended] = DeviceJob(*job)
    return tuple(_device(client_id, rows.get(client_id), jobs) for client_id in ids)


def _device(client_id: str, row: Row | None, jobs: dict[tuple[str, bool], DeviceJob]) -> Device:
    device = Device(client_id)
    if row is not None:
        _, first_seen, last_seen, version, description = row
        device = Device(client_id, first_seen, last_seen, version, description.encode())
    return device._replace(current=jobs.get((client_id, False)), last=jobs.get((client_id, True)))
