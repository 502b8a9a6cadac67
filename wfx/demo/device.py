"""Simulated device: polls for jobs, downloads, installs, activates, and reports each step.

On the wire it does what real update clients of this family do: it looks for open jobs by its id, reports each state
with progress and a message, sends progress over a second connection, and asks for replies without the context. It goes
on whatever happens to the service (:mod:`wfx.demo.connection`). Take it as the start of a client of your own; only
:meth:`Device._download` and :meth:`Device._install` pretend.

    python -m wfx.demo.device --url http://localhost:8080/api/wfx/v1 --client-id my-device
"""

from __future__ import annotations

import argparse
import hashlib
import logging
import time
from collections.abc import Callable, Iterator
from ssl import SSLContext
from typing import Any

import httpx

from wfx.demo.connection import LONGEST_MESSAGE, Connection, NotFound, Refused
from wfx.demo.download import Download, summary
from wfx.demo.tls_options import add_tls_options, tls_context

log = logging.getLogger("device")

_REPORT = {"X-Response-Filter": "del(.context)", "Expect": "100-continue"}
_ACTIVATED, _FAILED = "ACTIVATED", "TERMINATED"


class Device:
    """One device and the jobs it is given. Works with the bundled ``wfx.workflow.dau.*`` workflows."""

    def __init__(
        self,
        url: str,
        client_id: str,
        *,
        poll_seconds: float = 45.0,
        pause: Callable[[float], None] = time.sleep,
        tls: SSLContext | None = None,
    ) -> None:
        """Talk to the southbound API below ``url`` as ``client_id``; wait by means of ``pause``.

        ``tls`` counts for the servers of artifacts too.
        """
        self._client_id = client_id
        self._poll_seconds = poll_seconds
        self._pause = pause
        identity = {"X-Client-Id": client_id, "X-Client-Version": "wfx demo device"}
        self._main = Connection(url, identity, pause, tls)
        self._progress = Connection(url, {}, pause, tls)
        self._artifacts = httpx.Client(timeout=10, trust_env=False, follow_redirects=True, verify=tls or True)

    def close(self) -> None:
        """Close all connections."""
        self._main.close()
        self._progress.close()
        self._artifacts.close()

    def run_next(self) -> str:
        """Wait for a job, take it through, and return the state it ended in."""
        while True:
            job = self._wait_for_job()
            log.info("took up job %s", job["id"])
            try:
                return self._carry_out(job)
            except NotFound:
                log.info("job %s was deleted", job["id"])

    def _wait_for_job(self) -> dict[str, Any]:
        while not (jobs := self._main.jobs(clientId=self._client_id, group="OPEN")):
            self._pause(self._poll_seconds)
        return jobs[0]

    def _carry_out(self, job: dict[str, Any]) -> str:
        """Do what each state says until the job has ended; raise NotFound if it is deleted meanwhile."""
        refused_in = ""
        while (state := self._state_of(job)) not in (_ACTIVATED, _FAILED):
            try:
                self._step(job, state)
            except NotFound:
                raise
            except Refused as exc:  # the state is not what it was; or it is, and this device does not fit the workflow
                log.warning("report refused: %s", exc)
                if refused_in == state:
                    self._give_up(job, exc)
                refused_in = state
            except (httpx.HTTPError, httpx.InvalidURL, ValueError) as exc:
                self._give_up(job, exc)
        return state

    def _give_up(self, job: dict[str, Any], reason: Exception) -> None:
        try:
            self._report(job, _FAILED, 100, f"Error: {summary(reason)}", [summary(reason)])
        except NotFound:
            raise
        except Refused as exc:
            log.warning("job %s can neither be carried out nor ended: %s", job["id"], exc)
            self._pause(self._poll_seconds)

    def _state_of(self, job: dict[str, Any]) -> str:
        return str(self._main.ask("GET", f"/jobs/{job['id']}", "status")["state"])

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
                self._pause(self._poll_seconds)

    def _download_all(self, job: dict[str, Any]) -> None:
        self._report(job, "DOWNLOADING", 0, "Start DOWNLOAD.")
        addresses = _addresses(job)
        for number, address in enumerate(addresses, 1):
            for percent in self._download(address):
                self._report(job, "DOWNLOADING", percent, "Downloading artifact", over=self._progress)
            self._report(job, "DOWNLOADING", 100, f"Artifact {number}/{len(addresses)} download finished.")
        self._report(job, "DOWNLOADED", 100, "Finished.")

    def _download(self, address: str) -> Iterator[int]:
        """Fetch one artifact, yielding the percentage that has arrived in steps; the bytes are only hashed."""
        artifact, told = _Hashed(), 0
        for percent in Download(address, artifact, self._pause).run(self._artifacts):
            if percent >= told + 25:
                told = percent
                yield percent
        log.info("artifact has sha256 %s", artifact.digest.hexdigest())

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
        over: Connection | None = None,
    ) -> None:
        status = {
            "state": state,
            "clientId": self._client_id,
            "progress": progress,
            "message": message[:LONGEST_MESSAGE],
            "context": {"lines": lines or []},
        }
        (over or self._main).ask("PUT", f"/jobs/{job['id']}/status", "state", json=status, headers=_REPORT)
        log.info("%-12s %3d %%  %s", state, progress, message)


class _Hashed:
    """An artifact of which nothing is kept but the hash."""

    def __init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        self.digest = hashlib.sha256()

    def write(self, data: bytes) -> None:
        self.digest.update(data)


def _addresses(job: dict[str, Any]) -> list[str]:
    """Where the artifacts are; raise ValueError if the definition does not say so."""
    try:
        return [str(artifact["uri"]) for artifact in job["definition"]["artifacts"]]
    except (LookupError, TypeError) as exc:
        raise ValueError(f"the definition names no artifacts: {exc!r}") from exc


def main() -> None:
    """Run a device until it is interrupted."""
    parser = argparse.ArgumentParser(description="A simulated device.")
    parser.add_argument("--url", default="http://localhost:8080/api/wfx/v1", help="southbound API")
    parser.add_argument("--client-id", required=True)
    parser.add_argument("--poll-seconds", type=float, default=45.0)
    add_tls_options(parser)
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    device = Device(given.url, given.client_id, poll_seconds=given.poll_seconds, tls=tls_context(given))
    try:
        while True:
            log.info("the job ended as %s", device.run_next())
    except KeyboardInterrupt:
        device.close()


if __name__ == "__main__":
    main()
