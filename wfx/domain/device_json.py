"""JSON document of a device, for answers, lists and filters."""

from __future__ import annotations

from wfx.domain.device import Device, DeviceJob
from wfx.domain.json import decode
from wfx.domain.timestamp import rfc3339


def document_of(device: Device) -> dict[str, object]:
    """Return the document of a device, without members that are not known."""
    shown: dict[str, object] = {"clientId": device.client_id}
    if device.first_seen is not None and device.last_seen is not None:
        shown |= {"firstSeen": rfc3339(device.first_seen), "lastSeen": rfc3339(device.last_seen)}
    if device.version:
        shown["version"] = device.version
    if device.current is not None:
        shown["currentJob"] = _job(device.current)
    if device.last is not None:
        shown["lastResult"] = _job(device.last)
    shown.update(decode(device.description))
    return shown


def _job(job: DeviceJob) -> dict[str, object]:
    return {
        "id": job.id, "workflow": job.workflow, "group": job.group, "state": job.state, "mtime": rfc3339(job.mtime),
    }  # fmt: skip
