"""The example devices over HTTPS, against a service that wants client certificates."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import yaml

from tests.certificates import Authority
from tests.server.everywhere import Everywhere
from tests.waiting import DEADLINE, eventually
from wfx import spec_files

BASE = "/api/wfx/v1"


class Fleet:
    """A service with mutual TLS, an operator, and the files that devices need."""

    def __init__(self, folder: Path) -> None:
        """Start nothing yet."""
        authority = Authority(folder)
        server, device = authority.sign("server"), authority.sign("device")
        self.files = folder / "files"
        self.files.mkdir()
        self.service = Everywhere(
            folder, "https", f"--tls-certificate={server.certificate}", f"--tls-key={server.key}",
            f"--tls-ca={authority.certificate}", f"--simple-fileserver={self.files}",
        )  # fmt: skip
        self.operator = httpx.Client(
            verify=authority.trusting(authority.sign("operator")), trust_env=False, timeout=DEADLINE
        )
        self.options = [f"--tls-ca={authority.certificate}", f"--tls-client-certificate={device.certificate}",
                        f"--tls-client-key={device.key}"]  # fmt: skip

    def url(self, side: str) -> str:
        """The address of a side."""
        return f"https://localhost:{self.service.port('https', side)}"

    def create(self, workflow: str, definition: object) -> str:
        """Create a job for the device, and its workflow."""
        document = yaml.safe_load(spec_files.find(f"workflows/{workflow}.yml").read_bytes())
        north = self.url("north") + BASE
        self.operator.post(f"{north}/workflows", json=document).raise_for_status()
        wanted = {"clientId": "dev", "workflow": workflow, "definition": definition}
        return str(self.operator.post(f"{north}/jobs", json=wanted).raise_for_status().json()["id"])

    def becomes(self, job: str, state: str, program: list[str]) -> None:
        """Run a device until the job is in this state."""
        device = subprocess.Popen([sys.executable, "-m", *program, *self.options], stderr=subprocess.DEVNULL)
        url = f"{self.url('north')}{BASE}/jobs/{job}/status"
        try:
            eventually(lambda: self.operator.get(url).json()["state"] == state, state)
        finally:
            device.terminate()
            device.wait(DEADLINE)


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    """The service, which runs."""
    made = Fleet(tmp_path)
    with made.service, made.operator:
        yield made


def test_device(fleet: Fleet) -> None:
    """The device takes an update over mutual TLS, with the options that wfxctl has."""
    job = fleet.create("wfx.workflow.dau.direct", {"version": "2.0"})
    fleet.becomes(job, "ACTIVATED", ["wfx.demo.device", "--url", fleet.url("south") + BASE, "--client-id=dev"])


def test_config_deployer(fleet: Fleet, tmp_path: Path) -> None:
    """The deployer fetches jobs and files over mutual TLS."""
    (fleet.files / "app.ini").write_text("level = 3\n")
    destination = tmp_path / "app.ini"
    definition = {"url": fleet.url("south") + "/download/app.ini", "destination": str(destination)}
    job = fleet.create("wfx.workflow.config.deployment", definition)
    port = str(fleet.service.port("https", "south"))
    fleet.becomes(job, "DONE", ["wfx.demo.config_deployer", "--enable-tls", "-p", port, "-c", "dev", "-i", "100ms"])
    assert destination.read_text() == "level = 3\n"


@pytest.mark.parametrize("program", ["device", "config_deployer"])
@pytest.mark.parametrize(("option", "said"), [
    ("--tls-ca=none.pem", "cannot read CA file none.pem: No such file or directory"),
    ("--tls-client-key=x.key", "--tls-client-key needs --tls-client-certificate"),
])  # fmt: skip
def test_files_that_cannot_be_used(program: str, option: str, said: str) -> None:
    """A file that cannot be used ends a device with exit code 1 and a line that names it."""
    command = [sys.executable, "-m", f"wfx.demo.{program}", "--client-id=x", option]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE, check=False)
    assert (ran.returncode, ran.stderr) == (1, f"Error: {said}\n")
