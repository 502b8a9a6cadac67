"""Devices as rows: what was seen of clients, what operators say about them, and their present jobs."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

from wfx.domain.device import NOTHING_SAID, Device, DeviceDescription, DeviceJob, DeviceQuery
from wfx.domain.errors import DeviceChanged, DeviceInUse, DeviceNotFound
from wfx.domain.json import Json, encode
from wfx.store.device_lists import (
    MOST_UNCLAIMED,
    NEWEST_JOBS,
    UNCLAIMED_AGE,
    Candidate,
    first_of_both,
    id_range,
    most_candidates,
    page_of,
)
from wfx.store.operations import DeleteDevice, DescribeDevice, DeviceOperation, NoteSightings
from wfx.store.sqlite.rows import Row
from wfx.store.sqlite.statements import SQL, for_rows


def list_devices(connection: sqlite3.Connection, query: DeviceQuery) -> tuple[tuple[Device, ...], str | None]:
    """Return the devices of a page, and where the next one begins."""
    most = most_candidates(query, indexed=len(query.keys) <= 1)
    ids, following = page_of(query, _candidates(connection, query, most), most)
    return _devices(connection, ids), following


def get_device(connection: sqlite3.Connection, client_id: str) -> Device:
    """Return one device. Raises DeviceNotFound."""
    if not _has_row(connection, client_id) and not _having_jobs(connection, [client_id]):
        raise DeviceNotFound(client_id)
    return _devices(connection, [client_id])[0]


def perform(connection: sqlite3.Connection, operation: DeviceOperation) -> int | None:
    """Do an operation on devices."""
    match operation:
        case NoteSightings():
            return _note_sightings(connection, operation)
        case DescribeDevice():
            _describe(connection, operation)
        case DeleteDevice():
            _delete(connection, operation)
    return None


def _note_sightings(connection: sqlite3.Connection, operation: NoteSightings) -> int:
    """Note when devices were seen; returns how many were left out, since there is no room for devices without jobs."""
    ids = [each.client_id for each in operation.sightings]
    present = dict(connection.execute(SQL["unclaimed_of_devices"], (_array(ids),)).fetchall())
    doubtful = [client_id for client_id in ids if present.get(client_id, True)]
    unclaimed = set(doubtful) - _having_jobs(connection, doubtful)
    new = sorted(unclaimed - present.keys())
    room = _room_for_unclaimed(connection, len(new), operation) if new else 0
    left_out = set(new[room:])
    rows = [
        (client_id, first, last, version, client_id in unclaimed)
        for client_id, first, last, version in operation.sightings
        if client_id not in left_out
    ]
    for_rows(connection, "note_sightings", rows)
    return len(left_out)


def _describe(connection: sqlite3.Connection, operation: DescribeDevice) -> None:
    """Replace the description of a device. Raises DeviceChanged."""
    client_id, wanted = operation.client_id, operation.description
    before = _description(connection, client_id)
    if (allowed := operation.allowed) is not None and before.tag not in allowed:
        raise DeviceChanged(client_id)
    for_rows(connection, "delete_device_keys", [(key, client_id) for key in before.keys])
    connection.execute(SQL["describe_device"], (client_id, wanted.encoded.decode()))
    for_rows(connection, "insert_device_keys", [(key, client_id) for key in wanted.keys])


def _delete(connection: sqlite3.Connection, operation: DeleteDevice) -> None:
    """Forget a device. Raises DeviceNotFound and DeviceInUse."""
    client_id = operation.client_id
    if _having_jobs(connection, [client_id]):
        raise DeviceInUse(client_id)
    if not _has_row(connection, client_id):
        raise DeviceNotFound(client_id)
    keys = _description(connection, client_id).keys
    for_rows(connection, "delete_device_keys", [(key, client_id) for key in keys])
    connection.execute(SQL["delete_device"], (client_id,))


def _candidates(connection: sqlite3.Connection, query: DeviceQuery, most: int) -> list[Candidate]:
    """Return the next devices in order; if the query has keys, the next ones that have the rarest of them."""
    if query.keys:
        return _by_keys(connection, query, most)
    known = [Candidate(*row) for row in _in_range(connection, "devices_in_range", query, most)]
    if query.only_seen:
        return known
    return first_of_both(query, known, [row[0] for row in _in_range(connection, "clients_in_range", query, most)], most)


def _by_keys(connection: sqlite3.Connection, query: DeviceQuery, most: int) -> list[Candidate]:
    counts = {key: connection.execute(SQL["count_devices_by_key"], (key, most)).fetchone()[0] for key in query.keys}
    rarest = min(counts, key=counts.__getitem__)
    found = [row[0] for row in _in_range(connection, "devices_by_key", query, most, rarest)]
    rows: dict[str, Row] = {row[0]: row for row in connection.execute(SQL["seen_of_devices"], (_array(found),))}
    having = set(found)
    for key in counts.keys() - {rarest}:
        having &= {row[0] for row in connection.execute(SQL["devices_having_key"], (_array(found), key))}
    return [Candidate(*rows[client_id])._replace(has_keys=client_id in having) for client_id in found]


def _in_range(connection: sqlite3.Connection, name: str, query: DeviceQuery, most: int, *further: str) -> Iterable[Row]:
    low, comparison, high = id_range(query)
    step, extreme, order = "client_id > client.found AND client_id < ?2", "min", "ASC"
    if query.descending:
        step, extreme, order = "client_id < client.found AND client_id >= ?1", "max", "DESC"
    sql = SQL[name].replace(":comparison", comparison).replace(":order", order)
    return connection.execute(sql.replace(":extreme", extreme).replace(":step", step), (low, high, most, *further))


def _devices(connection: sqlite3.Connection, ids: Sequence[str]) -> tuple[Device, ...]:
    """Return devices by their ids, which may be of clients without a row."""
    rows: dict[str, Row] = {row[0]: row for row in connection.execute(SQL["devices_by_id"], (_array(ids),))}
    found = connection.execute(SQL["jobs_of_devices"], (_array(ids), NEWEST_JOBS)).fetchall()
    jobs = _jobs(connection, {number for row in found for number in row[1:] if number is not None})
    devices = (Device(*rows[each]) if each in rows else Device(each) for each in ids)
    ends = {client_id: (jobs.get(current), jobs.get(last)) for client_id, current, last in found}
    return tuple(each._replace(current=ends[each.client_id][0], last=ends[each.client_id][1]) for each in devices)


def _jobs(connection: sqlite3.Connection, numbers: set[int]) -> dict[int, DeviceJob]:
    rows = connection.execute(SQL["ends_of_jobs"], (_array(list(numbers)),)).fetchall()
    states = _array(list({row[2] for row in rows}))
    names = {number: each for number, *each in connection.execute(SQL["names_of_states"], (states,))}
    return {number: DeviceJob(*(job_id, *names[state], mtime)) for number, job_id, state, mtime in rows}


def _has_row(connection: sqlite3.Connection, client_id: str) -> bool:
    return connection.execute(SQL["unclaimed_of_devices"], (_array([client_id]),)).fetchone() is not None


def _having_jobs(connection: sqlite3.Connection, ids: Sequence[str]) -> set[str]:
    return {row[0] for row in connection.execute(SQL["clients_with_jobs"], (_array(ids),))} if ids else set()


def _description(connection: sqlite3.Connection, client_id: str) -> DeviceDescription:
    row = connection.execute(SQL["devices_by_id"], (_array([client_id]),)).fetchone()
    return NOTHING_SAID if row is None else DeviceDescription(Json(row[4]))


def _room_for_unclaimed(connection: sqlite3.Connection, wanted: int, operation: NoteSightings) -> int:
    """Return how many more devices without jobs may be kept."""
    (count,) = connection.execute(SQL["count_unclaimed"]).fetchone()
    if count + wanted > MOST_UNCLAIMED and operation.forgets:
        values = (operation.now - UNCLAIMED_AGE, len(operation.sightings))
        count -= connection.execute(SQL["forget_unclaimed"], values).rowcount
    return int(max(MOST_UNCLAIMED - count, 0))


def _array(values: Sequence[Any]) -> str:
    return encode(values).decode()
