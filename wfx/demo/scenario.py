"""The demo: an update from creation to ACTIVATED, where only the device's hardware is simulated."""

from __future__ import annotations

import logging
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import httpx

from wfx.commandline import plain_yaml
from wfx.demo.device import Device
from wfx.demo.local import LocalService
from wfx.spec_files import find

BASE = "/api/wfx/v1"
WORKFLOW = "wfx.workflow.dau.phased"
CLIENT = "demo-device"
_DEADLINE = 60.0


def run() -> int:
    """Run the demo, printing what happens; returns 0 when the job reached ACTIVATED."""
    with (
        tempfile.TemporaryDirectory() as folder,
        LocalService(Path(folder), f"--simple-fileserver={make_artifact(Path(folder))}") as wfx,
    ):
        say(f"service is up: northbound {wfx.north}, southbound {wfx.south}")
        return run_on(wfx.north, wfx.south)


def run_on(north: str, south: str) -> int:
    """Run the demo on a service that serves the artifact and does not know the workflow."""
    logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="  %(name)-8s %(message)s", force=True)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    with httpx.Client(base_url=north + BASE, trust_env=False) as operator:
        return _update(operator, south)


def _update(operator: httpx.Client, south: str) -> int:
    job_id = _create_job(operator, f"{south}/download/payload.bin")
    device = Device(south + BASE, CLIENT, poll_seconds=0.1)
    ended: list[str] = []
    worker = threading.Thread(target=lambda: ended.append(device.run_next()), daemon=True)
    _operate(operator, job_id, "DOWNLOAD", after="CREATED")
    worker.start()
    _operate(operator, job_id, "INSTALL", after="DOWNLOADED")
    worker.join(_DEADLINE)
    device.close()
    _show(operator.get(f"/jobs/{job_id}", params={"history": "true"}).raise_for_status().json())
    return 0 if ended == ["ACTIVATED"] else 1


def _create_job(operator: httpx.Client, artifact: str) -> str:
    workflow = plain_yaml.load(find(f"workflows/{WORKFLOW}.yml").read_bytes())
    operator.post("/workflows", json=workflow).raise_for_status()
    say(f"operator created workflow {WORKFLOW}")
    definition = {"version": "2.0", "type": ["application"], "artifacts": [{"name": "payload.bin", "uri": artifact}]}
    request = {"clientId": CLIENT, "workflow": WORKFLOW, "tags": ["demo"], "definition": definition}
    job = operator.post("/jobs", json=request).raise_for_status().json()
    say(f"operator created job {job['id']} for {CLIENT}")
    return str(job["id"])


def _operate(operator: httpx.Client, job_id: str, state: str, *, after: str) -> None:
    """Wait until the job is in one state and move it to the next, as an operator would."""
    deadline = time.monotonic() + _DEADLINE
    while operator.get(f"/jobs/{job_id}/status").raise_for_status().json()["state"] != after:
        if time.monotonic() > deadline:
            raise TimeoutError(f"the job did not reach {after} within {_DEADLINE:g} s")
        time.sleep(0.05)
    operator.put(f"/jobs/{job_id}/status", json={"state": state}).raise_for_status()
    say(f"operator moved the job from {after} to {state}")


def _show(job: dict[str, Any]) -> None:
    say(f"the job is {job['status']['state']}; its history, newest first:")
    for entry in job["history"]:
        status = entry["status"]
        say(f"  {entry['mtime']:<28} {status['state']:<12} {status.get('progress', ''):>4} {status.get('message', '')}")


def make_artifact(folder: Path) -> Path:
    """Make a directory with the artifact for the service's file server."""
    files = folder / "files"
    files.mkdir()
    (files / "payload.bin").write_bytes(bytes(range(256)) * 1024)
    return files


def say(line: str) -> None:
    """Print one line of the story at once."""
    print(line, flush=True)  # noqa: T201  # its purpose
