"""What the two sides say of a deleted job (docs/devices.md, Deleted jobs)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api.test_jobs import error_of, put
from wfx.demo.local import LocalService

BASE = "/api/wfx/v1"
DEVICE = {"X-Client-Id": "c"}
GONE = (404, "wfx.jobNotFound", "Job ID was not found")


@pytest.fixture
def device(job: dict[str, Any], south: httpx.Client) -> httpx.Client:
    """The device of the job, as a shipped client names itself (device-swupdate)."""
    south.headers["X-Client-Id"] = job["clientId"]
    return south


def test_a_device_learns_that_its_job_has_ended(job: dict[str, Any], north: httpx.Client, device: httpx.Client) -> None:
    """A device that polls a job which was deleted under way sees it failed, with its definition, and can go on."""
    put(device, job, state="INSTALLING", progress=7)
    north.delete(f"/jobs/{job['id']}").raise_for_status()
    seen = device.get(f"/jobs/{job['id']}").raise_for_status().json()
    ended = {
        "clientId": job["clientId"], "definitionHash": job["status"]["definitionHash"],
        "message": "the job was deleted", "state": "TERMINATED",
    }  # fmt: skip
    assert seen["status"] == ended
    assert {name: seen[name] for name in ("id", "clientId", "definition", "stime", "tags", "workflow")} == {
        **{name: job[name] for name in ("id", "clientId", "definition", "stime", "workflow")}, "tags": [],
    }  # fmt: skip
    assert seen["mtime"] > job["mtime"]
    assert device.get(f"/jobs/{job['id']}", params={"history": "true"}).json() == seen
    assert device.get(f"/jobs/{job['id']}/status").json() == ended


def test_names_of_devices_are_utf_8(job: dict[str, Any], north: httpx.Client, south: httpx.Client) -> None:
    """A device whose client id is not ASCII names itself in UTF-8, as in its other requests; Latin-1 is not it."""
    request = {"clientId": "pr\u00fcf-7", "workflow": job["workflow"]["name"]}
    job_id = north.post("/jobs", json=request).json()["id"]
    north.delete(f"/jobs/{job_id}").raise_for_status()
    answers = {
        codec: south.get(f"/jobs/{job_id}", headers={b"X-Client-Id": "pr\u00fcf-7".encode(codec)}).status_code
        for codec in ("utf-8", "latin-1")
    }
    assert answers == {"utf-8": 200, "latin-1": 404}


def test_a_finished_job_stays_as_it_ended(job: dict[str, Any], north: httpx.Client, device: httpx.Client) -> None:
    """A device that has done its job sees it done, also once it was deleted."""
    for state in ("INSTALLING", "INSTALLED", "ACTIVATING", "ACTIVATED"):
        put(device, job, state=state).raise_for_status()
    north.delete(f"/jobs/{job['id']}").raise_for_status()
    assert device.get(f"/jobs/{job['id']}/status").json()["state"] == "ACTIVATED"


def test_reports_on_a_deleted_job_are_refused(job: dict[str, Any], north: httpx.Client, device: httpx.Client) -> None:
    """A report on a deleted job is answered with 404, since a success would say that it is stored."""
    north.delete(f"/jobs/{job['id']}").raise_for_status()
    before = device.get(f"/jobs/{job['id']}").json()
    for state in ("INSTALLING", "TERMINATED"):
        assert error_of(put(device, job, state=state, progress=50)) == GONE
    assert device.get(f"/jobs/{job['id']}").json() == before


def test_nobody_else_sees_it(
    job: dict[str, Any], north: httpx.Client, south: httpx.Client, fleet: httpx.Client
) -> None:
    """Operators, other devices, lists, counts and other requests do not know a deleted job."""
    path = f"/jobs/{job['id']}"
    north.delete(path).raise_for_status()
    for answer in (
        north.get(path),
        north.get(f"{path}/status"),
        put(north, job, state="INSTALLING"),
        south.get(f"{path}/definition"),
        south.get(f"{path}/tags"),
        south.put(f"{path}/definition", json={}),
    ):
        assert error_of(answer) == GONE
    assert north.delete(path).status_code == 404
    for headers in ({}, {"X-Client-Id": ""}, {"X-Client-Id": job["clientId"] + "0"}):
        assert error_of(south.get(path, headers=headers)) == GONE
        assert error_of(south.get(f"{path}/status", headers=headers)) == GONE
    for client in (north, south):
        assert client.get("/jobs", params={"clientId": job["clientId"]}).json() == {"content": []}
    assert fleet.get("/jobs/summary", params={"clientId": job["clientId"]}).json()["total"] == 0
    assert fleet.get("/jobs", params={"clientId": job["clientId"]}).json()["content"] == []


@pytest.mark.parametrize(("grace", "status"), [("0", 404), ("1h", 200)])
def test_the_time_of_grace_is_an_option(tmp_path: Path, grace: str, status: int) -> None:
    """With --tombstone-grace 0 a deleted job is gone at once; another time holds across a restart."""
    options = (f"--tombstone-grace={grace}",)
    with LocalService(tmp_path, *options) as service:
        definition = {"name": "w", "states": [{"name": "S"}], "transitions": []}
        httpx.post(f"{service.north}{BASE}/workflows", json=definition).raise_for_status()
        made = httpx.post(f"{service.north}{BASE}/jobs", json={"clientId": "c", "workflow": "w"}).raise_for_status()
        path = f"{BASE}/jobs/{made.json()['id']}"
        httpx.delete(service.north + path).raise_for_status()
        assert httpx.get(service.south + path, headers=DEVICE).status_code == status
    with LocalService(tmp_path, *options) as service:
        assert httpx.get(service.south + path, headers=DEVICE).status_code == status
        assert httpx.get(service.north + path).status_code == 404
