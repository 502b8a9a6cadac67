"""A small device: polls for jobs, downloads, installs, activates, and reports every step.

On the wire it does what real update clients of this family do: it looks for open jobs by its id, reports each state
with progress and a message, sends progress over a second connection, and asks for replies without the context. Take it
as the start of a client of your own; only :meth:`Device._download` and :meth:`Device._install` pretend.

    python -m wfx.demo.device --url http://localhost:8080/api/wfx/v1 --client-id my-device
"""

from __future__ import annotations

import argparse
import hashlib
import logging
import time
from collections.abc import Iterator
from typing import Any

import httpx

log = logging.getLogger("device")

_HEADERS = {"Content-Type": "application/json", "Accept": "application/json"}
_REPORT = {**_HEADERS, "X-Response-Filter": "del(.context)", "Expect": "100-continue"}
_ACTIVATED, _FAILED = "ACTIVATED", "TERMINATED"


class Device:
    """One device and the jobs it is given. Works with the bundled ``wfx.workflow.dau.*`` workflows."""

    def __init__(self, url: str, client_id: str, *, poll_seconds: float = 45.0) -> None:
        """Talk to the southbound API below ``url`` as ``client_id``."""
        self._client_id = client_id
        self._poll_seconds = poll_seconds
        identity = {"X-Client-Id": client_id, "X-Client-Version": "wfx demo device"}
        self._main = httpx.Client(base_url=url, headers=identity, timeout=10, trust_env=False)
        self._progress = httpx.Client(base_url=url, timeout=10, trust_env=False)

    def close(self) -> None:
        """Close both connections."""
        self._main.close()
        self._progress.close()

    def run_next(self) -> str:
        """Wait for a job, take it through, and return the state it ended in."""
        job = self._wait_for_job()
        log.info("took up job %s", job["id"])
        while (state := self._state_of(job)) not in (_ACTIVATED, _FAILED):
            try:
                self._step(job, state)
            except (httpx.HTTPStatusError, OSError) as exc:
                self._report(job, _FAILED, 100, f"Error: {exc}", [str(exc)])
        return state

    def _wait_for_job(self) -> dict[str, Any]:
        while True:
            query = {"clientId": self._client_id, "group": "OPEN"}
            jobs = self._main.get("/jobs", params=query, headers=_HEADERS).raise_for_status().json()["content"]
            if jobs:
                first: dict[str, Any] = jobs[0]
                return first
            time.sleep(self._poll_seconds)

    def _state_of(self, job: dict[str, Any]) -> str:
        answer = self._main.get(f"/jobs/{job['id']}", headers=_HEADERS).raise_for_status().json()
        return str(answer["status"]["state"])

    def _step(self, job: dict[str, Any], state: str) -> None:
        match state:
            case "DOWNLOAD" | "DOWNLOADING":
                self._download_all(job)
            case "INSTALL" | "INSTALLING":
                self._install_all(job)
            case "ACTIVATE" | "ACTIVATING":
                self._report(job, "ACTIVATING", 100, "Activating the new software.")
                self._report(job, _ACTIVATED, 100, "Finished Update.")
            case _:  # the next transition is the operator's
                time.sleep(self._poll_seconds)

    def _download_all(self, job: dict[str, Any]) -> None:
        self._report(job, "DOWNLOADING", 0, "Start DOWNLOAD.")
        artifacts = job["definition"]["artifacts"]
        for number, artifact in enumerate(artifacts, 1):
            for percent in self._download(artifact["uri"]):
                self._report(job, "DOWNLOADING", percent, "Downloading artifact", over=self._progress)
            self._report(job, "DOWNLOADING", 100, f"Artifact {number}/{len(artifacts)} download finished.")
        self._report(job, "DOWNLOADED", 100, "Finished.")

    def _download(self, uri: str) -> Iterator[int]:
        """Fetch one artifact, yielding the percentage that has arrived; the bytes are only hashed."""
        headers = {"Accept": "application/octet-stream"}
        size = int(self._main.head(uri, headers=headers).raise_for_status().headers["Content-Length"])
        digest = hashlib.sha256()
        with self._main.stream("GET", uri, headers=headers) as answer:
            answer.raise_for_status()
            for chunk in answer.iter_bytes(max(1, size // 4)):
                digest.update(chunk)
                yield min(100, 100 * answer.num_bytes_downloaded // max(1, size))
        log.info("artifact has sha256 %s", digest.hexdigest())

    def _install_all(self, job: dict[str, Any]) -> None:
        self._report(job, "INSTALLING", 0, "Start INSTALL.")
        for percent in self._install():
            self._report(job, "INSTALLING", percent, "Installing artifact 1/1", over=self._progress)
        self._report(job, "INSTALLING", 100, "Finished.")
        self._report(job, "INSTALLED", 100, "Finished.")

    def _install(self) -> Iterator[int]:
        """Pretend to install. Progress starts over, as it does on real devices."""
        yield from (1, 25, 50, 75, 100)

    def _report(
        self,
        job: dict[str, Any],
        state: str,
        progress: int,
        message: str,
        lines: list[str] | None = None,
        *,
        over: httpx.Client | None = None,
    ) -> None:
        status = {
            "state": state,
            "clientId": self._client_id,
            "progress": progress,
            "message": message,
            "context": {"lines": lines or []},
        }
        (over or self._main).put(f"/jobs/{job['id']}/status", json=status, headers=_REPORT).raise_for_status()
        log.info("%-12s %3d %%  %s", state, progress, message)


def main() -> None:
    """Run a device until it is interrupted."""
    parser = argparse.ArgumentParser(description="A simulated device.")
    parser.add_argument("--url", default="http://localhost:8080/api/wfx/v1", help="southbound API")
    parser.add_argument("--client-id", required=True)
    parser.add_argument("--poll-seconds", type=float, default=45.0)
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    device = Device(given.url, given.client_id, poll_seconds=given.poll_seconds)
    try:
        while True:
            log.info("the job ended as %s", device.run_next())
    except KeyboardInterrupt:
        device.close()


if __name__ == "__main__":
    main()
