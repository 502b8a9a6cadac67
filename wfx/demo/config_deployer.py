"""Example device that deploys configuration files, for the bundled ``wfx.workflow.config.deployment``.

It polls for a new job, downloads ``definition.url``, runs the command ``definition.preinstall``, puts the file to
``definition.destination``, runs ``definition.postinstall``, and reports each step. What broke off when it was ended is
taken up again when it starts. It goes on whatever happens to the service (:mod:`wfx.demo.connection`).

    python -m wfx.demo.config_deployer --host localhost --port 8080 --client-id my-device --interval 10s

Both commands are run by a shell, with the rights of this program: whoever may write definitions commands the device.
"""

from __future__ import annotations

import argparse
import logging
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from ssl import SSLContext
from typing import Any, NoReturn, Self

import httpx

from wfx.commandline import durations
from wfx.demo.connection import LONGEST_MESSAGE, Connection, NotFound, Refused
from wfx.demo.download import Download, summary
from wfx.demo.tls_options import add_tls_options, tls_context
from wfx.host_port import host_port

log = logging.getLogger("device")

WORKFLOW = "wfx.workflow.config.deployment"
_COMMAND_SECONDS = 600


class Failed(Exception):
    """The deployment cannot be completed; the message says why."""


class ConfigDeployer:
    """One device and the configuration files it is given."""

    def __init__(
        self,
        url: str,
        client_id: str,
        *,
        interval: float = 10.0,
        pause: Callable[[float], None] = time.sleep,
        tls: SSLContext | None = None,
    ) -> None:
        """Talk to the southbound API below ``url`` as ``client_id``; wait by means of ``pause``.

        ``tls`` counts for the servers of files too.
        """
        self._client_id = client_id
        self._interval = interval
        self._pause = pause
        self._api = Connection(url, {"X-Client-Id": client_id}, pause, tls)
        self._files = httpx.Client(timeout=10, trust_env=False, follow_redirects=True, verify=tls or True)

    def close(self) -> None:
        """Close all connections."""
        self._api.close()
        self._files.close()

    def run_next(self) -> str:
        """Wait for a job, carry it out, and return the state it ended in."""
        while True:
            job = self._find("INSTALLING") or self._find("DOWNLOADING") or self._find("NEW")
            if job is None:
                self._pause(self._interval * random.uniform(0.9, 1.1))  # noqa: S311  # no secret: a fleet is to spread out
                continue
            log.info("took up job %s", job["id"])
            try:
                return self._carry_out(job)
            except NotFound:
                log.info("job %s was deleted", job["id"])
            except Refused as exc:
                log.warning("job %s: %s", job["id"], exc)
                self._pause(self._interval)

    def _find(self, state: str) -> dict[str, Any] | None:
        jobs = self._api.jobs(clientId=self._client_id, workflow=WORKFLOW, state=state, limit=1)
        return jobs[0] if jobs else None

    def _carry_out(self, job: dict[str, Any]) -> str:
        """Do all steps; those before the one that was reached are not reported again. Raises Refused."""
        state = str(job["status"]["state"])
        try:
            with tempfile.TemporaryDirectory(prefix="wfx-config-") as folder:
                if state == "NEW":
                    state = self._report(job, "DOWNLOADING", "downloading")
                file = self._download(job, Path(folder) / "file")
                if state == "DOWNLOADING":
                    state = self._report(job, "INSTALLING", "installing")
                self._install(job, file)
                return self._report(job, "DONE", "the file is in its place")
        except (Failed, OSError, httpx.HTTPError, httpx.InvalidURL) as exc:
            return self._fail(job, state, exc)

    def _fail(self, job: dict[str, Any], state: str, reason: Exception) -> str:
        said = summary(reason)
        log.warning("job %s failed: %s", job["id"], said)
        if state == "NEW":  # nothing has failed before it has begun
            self._report(job, "DOWNLOADING", "downloading")
        return self._report(job, "FAILED", said)

    def _report(self, job: dict[str, Any], state: str, message: str) -> str:
        status = {"state": state, "clientId": self._client_id, "message": message[:LONGEST_MESSAGE]}
        reached = self._api.ask("PUT", f"/jobs/{job['id']}/status", "state", json=status)
        log.info("%-12s %s", state, message)
        return str(reached)

    def _download(self, job: dict[str, Any], path: Path) -> Path:
        with _File(path) as file:
            for _ in Download(_wanted(job, "url"), file, self._pause).run(self._files):
                pass
        return path

    def _install(self, job: dict[str, Any], file: Path) -> None:
        destination = Path(_wanted(job, "destination"))
        self._command(job, "preinstall")  # a failure is only logged
        destination.parent.mkdir(parents=True, exist_ok=True)
        _put(file, destination)
        if (status := self._command(job, "postinstall")) is not None:
            raise Failed(f"postinstall: {status}")

    def _command(self, job: dict[str, Any], member: str) -> str | None:
        """Run a command of the definition, if there is one; return what was wrong."""
        command = job.get("definition", {}).get(member)
        if not command:
            return None
        try:
            ran = subprocess.run(["/bin/sh", "-c", str(command)], check=False, timeout=_COMMAND_SECONDS)
        except subprocess.TimeoutExpired:
            failure = f"not done after {_COMMAND_SECONDS} s"
        else:
            failure = f"exit status {ran.returncode}" if ran.returncode else ""
        if failure:
            log.warning("%s: %s", member, failure)
        return failure or None


class _File:
    """A file that is being downloaded."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def write(self, data: bytes) -> None:
        self._file.write(data)

    def restart(self) -> None:
        self._file.seek(0)
        self._file.truncate()


def _wanted(job: dict[str, Any], member: str) -> str:
    value = job.get("definition", {}).get(member)
    if not value or not isinstance(value, str):
        raise Failed(f"the definition has no {member}")
    return value


def _put(file: Path, destination: Path) -> None:
    """Put a copy of a file to its place at once: nobody sees half of it, also after the power failed."""
    with tempfile.NamedTemporaryFile(dir=destination.parent, prefix=f".{destination.name}.", delete=False) as copy:
        try:
            with file.open("rb") as source:
                while piece := source.read(1 << 16):
                    copy.write(piece)
            copy.flush()
            os.fchmod(copy.fileno(), destination.stat().st_mode & 0o7777 if destination.exists() else 0o644)
            os.fsync(copy.fileno())
            Path(copy.name).replace(destination)
        except BaseException:
            Path(copy.name).unlink(missing_ok=True)
            raise


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """End with exit code 1, as all programs here do."""
        sys.stderr.write(f"Error: {message}\n")
        sys.exit(1)


def _interval(text: str) -> float:
    try:
        seconds = durations.parse(text)
    except ValueError as exc:
        raise argparse.ArgumentTypeError(str(exc)) from exc
    if seconds <= 0:
        raise argparse.ArgumentTypeError("must be above zero")
    return seconds


def main() -> None:
    """Run a device until it is interrupted."""
    parser = _Parser(description="A device that deploys configuration files.", add_help=False, allow_abbrev=False)
    parser.add_argument("--help", action="help", help="show this help")
    parser.add_argument("-h", "--host", default="localhost", help="host of the southbound API")
    parser.add_argument("-p", "--port", type=int, help="port of the southbound API (8080, with TLS 8443)")
    parser.add_argument("-c", "--client-id", required=True, help="the id of this device")
    parser.add_argument("-i", "--interval", type=_interval, default=10.0, help="time between two polls, such as 10s")
    parser.add_argument("--enable-tls", action="store_true", help="use https")
    add_tls_options(parser)
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    scheme, port = ("https", 8443) if given.enable_tls else ("http", 8080)
    url = f"{scheme}://{host_port(given.host, port if given.port is None else given.port)}/api/wfx/v1"
    device = ConfigDeployer(url, given.client_id, interval=given.interval, tls=tls_context(given))
    try:
        while True:
            log.info("the job ended as %s", device.run_next())
    except KeyboardInterrupt:
        device.close()


if __name__ == "__main__":
    main()
