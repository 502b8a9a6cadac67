"""The example device that deploys configuration files (server section 13), against a real service."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from wfx import spec_files
from wfx.demo.config_deployer import WORKFLOW, ConfigDeployer
from wfx.demo.local import LocalService

BASE = "/api/wfx/v1"
DEADLINE = 60.0
CONTENT = b"[section]\nkey = value\n"


class World:
    """A service with a file server, an operator, and a device that waits by starting the service if it is down."""

    def __init__(self, folder: Path, engine: str) -> None:
        """Start the service with the bundled workflow."""
        self.files, self.device_files = folder / "files", folder / "device"
        self.files.mkdir()
        (self.files / "config.ini").write_bytes(CONTENT)
        self.service = LocalService(folder, f"--simple-fileserver={self.files}", f"--http-engine={engine}").start()
        self.pauses: list[float] = []
        self.ask("POST", "/workflows", yaml.safe_load(spec_files.find(f"workflows/{WORKFLOW}.yml").read_bytes()))

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """Ask the management side."""
        with httpx.Client(base_url=self.service.north + BASE, trust_env=False, timeout=DEADLINE) as client:
            return client.request(method, path, json=body).raise_for_status().json()

    def create(self, **definition: object) -> str:
        """Create a job for the device; without more, for the file there is."""
        wanted = {
            "url": f"{self.service.south}/download/config.ini",
            "destination": str(self.destination),
            **definition,
        }
        request = {"clientId": "dev", "workflow": WORKFLOW, "definition": wanted}
        return str(self.ask("POST", "/jobs", request)["id"])

    @property
    def destination(self) -> Path:
        """Where the file is wanted: in a directory that is not there yet."""
        return self.device_files / "etc" / "app" / "config.ini"

    def course(self, job: str) -> list[str]:
        """The states of a job, oldest first."""
        found = self.ask("GET", f"/jobs/{job}?history=true")
        return [*reversed([entry["status"]["state"] for entry in found["history"]]), found["status"]["state"]]

    def pause(self, seconds: float) -> None:
        """Count instead of waiting; at the third pause of an outage it is over."""
        self.pauses.append(seconds)
        assert len(self.pauses) < 1_000, "the device does not get on"
        assert self.service.process is not None
        if self.service.process.poll() is not None and len(self.pauses) % 3 == 0:
            self.service.start()

    def device(self, kind: type[ConfigDeployer] = ConfigDeployer) -> closing[ConfigDeployer]:
        """The device."""
        return closing(kind(self.service.south + BASE, "dev", interval=1.0, pause=self.pause))


@pytest.fixture(params=["uvicorn", "hypercorn"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """A service of each engine that is stopped in the end."""
    world = World(tmp_path, request.param)
    yield world
    if world.service.process is not None and world.service.process.poll() is None:
        world.service.stop()


def test_a_deployment(world: World) -> None:
    """The device walks the workflow, runs both commands around the installation, and the file is in its place."""
    before, after = world.device_files.with_name("before"), world.device_files.with_name("after")
    job = world.create(
        preinstall=f"test ! -e {world.destination} && echo here > {before}",
        postinstall=f"cp {world.destination} {after}",
    )
    with world.device() as device:
        assert device.run_next() == "DONE"
    assert world.course(job) == ["NEW", "DOWNLOADING", "INSTALLING", "DONE"]
    assert world.destination.read_bytes() == after.read_bytes() == CONTENT
    assert before.read_text() == "here\n"
    assert [path.name for path in world.destination.parent.iterdir()] == ["config.ini"], "nothing is left behind"


def test_a_file_is_replaced_with_its_rights(world: World) -> None:
    """A file that is there is replaced as a whole and keeps its rights; a failing preinstall is only logged."""
    world.destination.parent.mkdir(parents=True)
    world.destination.write_text("old")
    world.destination.chmod(0o600)
    world.create(preinstall="exit 7")
    with world.device() as device:
        assert device.run_next() == "DONE"
    assert world.destination.read_bytes() == CONTENT
    assert world.destination.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(("definition", "states", "reason"), [
    ({"url": "/download/missing"}, ["NEW", "DOWNLOADING", "FAILED"], "404"),
    ({"url": ""}, ["NEW", "DOWNLOADING", "FAILED"], "the definition has no url"),
    ({"url": "ftp://x/y"}, ["NEW", "DOWNLOADING", "FAILED"], "protocol"),
    ({"destination": ""}, ["NEW", "DOWNLOADING", "INSTALLING", "FAILED"], "the definition has no destination"),
    ({"destination": "/dev/null/x"}, ["NEW", "DOWNLOADING", "INSTALLING", "FAILED"], "File exists"),
    ({"postinstall": "exit 3"}, ["NEW", "DOWNLOADING", "INSTALLING", "FAILED"], "postinstall: exit status 3"),
])  # fmt: skip
def test_a_deployment_that_fails(world: World, definition: dict[str, str], states: list[str], reason: str) -> None:
    """What cannot be downloaded or installed ends the job as FAILED, with the reason."""
    if definition.get("url", "").startswith("/"):
        definition = {"url": world.service.south + definition["url"]}
    job = world.create(**definition)
    with world.device() as device:
        assert device.run_next() == "FAILED"
    assert world.course(job) == states
    message = world.ask("GET", f"/jobs/{job}/status")["message"]
    assert reason in message
    assert "\n" not in message, "what the HTTP library advises its programmers to read is nothing for operators"


def test_a_service_that_goes_down_at_each_step(world: World) -> None:
    """Whenever the service is stopped, the device waits, longer each time, and takes its job to the end."""

    class Interrupted(ConfigDeployer):
        def _report(self, *arguments: Any) -> str:
            world.service.stop()
            return super()._report(*arguments)

        def _download(self, *arguments: Any) -> Path:
            world.service.stop()
            return super()._download(*arguments)

    job = world.create()
    world.service.stop()
    with world.device(Interrupted) as device:
        assert device.run_next() == "DONE"
    assert world.course(job) == ["NEW", "DOWNLOADING", "INSTALLING", "DONE"]
    assert world.destination.read_bytes() == CONTENT
    assert len(world.pauses) >= 10
    assert len(set(world.pauses)) == len(world.pauses), "pauses differ by chance"


@pytest.mark.parametrize("reached", ["DOWNLOADING", "INSTALLING"])
def test_a_device_that_was_ended(world: World, reached: str) -> None:
    """A device that is started again takes up what it had begun."""

    class Ended(ConfigDeployer):
        def _report(self, job: dict[str, Any], state: str, message: str) -> str:
            answer = super()._report(job, state, message)
            if state == reached:
                raise KeyboardInterrupt
            return answer

    job = world.create()
    with world.device(Ended) as device, pytest.raises(KeyboardInterrupt):
        device.run_next()
    with world.device() as device:
        assert device.run_next() == "DONE"
    assert world.course(job) == ["NEW", "DOWNLOADING", "INSTALLING", "DONE"]


def test_the_program(world: World) -> None:
    """The program takes the flags of the reference's and does one job after the other."""
    jobs = [world.create(), world.create()]
    port = str(world.service.ports["south"])
    command = [
        sys.executable,
        "-m",
        "wfx.demo.config_deployer",
        "-h",
        "127.0.0.1",
        "-p",
        port,
        "-c",
        "dev",
        "-i",
        "50ms",
    ]
    program = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    assert program.stderr is not None
    try:
        ended = 0
        while ended < len(jobs):
            said = program.stderr.readline()
            assert said, "the program ended"
            assert "Traceback" not in said
            ended += "the job ended as DONE" in said
    finally:
        program.terminate()
        program.communicate(timeout=DEADLINE)
    assert [world.course(job)[-1] for job in jobs] == ["DONE", "DONE"]


@pytest.mark.parametrize("words", [[], ["-c", "x", "-i", "10"], ["-c", "x", "-p", "y"], ["-c", "x", "-i", "0s"]])
def test_wrong_flags(words: list[str]) -> None:
    """Without an id, or with a wrong value, the program ends with exit code 1 and says why."""
    command = [sys.executable, "-m", "wfx.demo.config_deployer", *words]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE, check=False)
    assert ran.returncode == 1
    assert ran.stderr.startswith("Error: ")
