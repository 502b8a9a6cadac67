"""The programs in the guide run as they stand, against a service."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from wfx.client import Interval, Retries
from wfx.client.errors import _BY_CODE
from wfx.client.following import HEARTBEAT
from wfx.client.operations import Operations
from wfx.demo.local import LocalService

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "client.md").read_text(encoding="utf-8")
DEADLINE = 120


def section(title: str) -> str:
    """The text under a heading."""
    return GUIDE.partition(f"\n## {title}\n\n")[2].partition("\n## ")[0]


def program(title: str, service: LocalService) -> list[str]:
    """The command that runs the program under a heading, with the ports of a service."""
    (source,) = re.findall(r"```python\n(.*?)```", section(title), re.DOTALL)
    for side, port in (("south", 8080), ("north", 8081)):
        source = source.replace(f"localhost:{port}", f"127.0.0.1:{service.ports[side]}")
    return [sys.executable, "-u", "-c", source]


def run(command: list[str]) -> str:
    """Run it to its end; returns what it prints."""
    ran = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE, check=False, cwd=ROOT)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_a_device_and_an_operator(other_service: LocalService) -> None:
    """The device of the guide takes the job of its operator to the end, and the operator sees it."""
    operator = subprocess.Popen(program("An operator", other_service), stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert operator.stdout is not None
    shown = [operator.stdout.readline()]  # there is a job now, so the device need not wait for it
    device = subprocess.Popen(program("A device", other_service), stdout=subprocess.PIPE, text=True, cwd=ROOT)
    try:
        shown = "".join([*shown, operator.communicate(timeout=DEADLINE)[0]]).splitlines()
    finally:
        operator.kill()
        operator.wait()
        device.terminate()
        told, _ = device.communicate(timeout=DEADLINE)
    assert operator.returncode == 0
    assert told.splitlines()[0] == "installing {'version': '2.0'}"
    assert shown[0].endswith(" INSTALL OPEN")
    assert shown[1] == "ended as ACTIVATED"
    assert [line.split()[1:3] for line in shown[2:4]] == [["CREATE", "INSTALL"], ["UPDATE_STATUS", "INSTALLING"]]
    assert shown[-2].split()[2:] == ["ACTIVATED", "100"]
    assert shown[-1] == "1 jobs in hall 1"


def test_many_jobs_and_devices(other_service: LocalService) -> None:
    """The program for many creates three jobs, finds and tags them, describes a device, and deletes them."""
    assert run(program("Many jobs, and devices", other_service)).splitlines() == [
        "3 INSTALL", "['fan-1', 'fan-2', 'fan-3']", "3 tagged", "fan-1 INSTALL None", "3 deleted",
    ]  # fmt: skip


def test_asyncio(other_service: LocalService) -> None:
    """The asynchronous program creates ten jobs and finds them by their tag."""
    assert run(program("Without waiting: asyncio", other_service)) == "10\n"


def test_addresses(service: LocalService) -> None:
    """The clients under addresses can be made, and open nothing."""
    assert run(program("Addresses, TLS, tokens", service)) == ""


def test_the_guide_is_complete() -> None:
    """The tables name each operation, each error and each code; the numbers are those that count."""
    operations = {name for name in dir(Operations) if not name.startswith("_")}
    assert operations == set(re.findall(r"`(\w+)`", section("What there is").partition("\n\n")[0]))
    errors = section("Errors")
    assert all(f"`{each.__name__}`" in errors and f"`{code}`" in errors for code, each in _BY_CODE.items())
    assert (Interval().seconds, Retries().attempts, HEARTBEAT) == (45.0, 5, 75.0)
