"""A day with 5,000 devices: each step is one command of wfxctl, against a real server."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.waiting import eventually
from wfx.demo.local import LocalService

DEVICES = 5000
FLOW = """\
name: lamp
groups:
  - {name: OPEN, states: [NEW, WORKING]}
  - {name: CLOSED, states: [DONE]}
  - {name: FAILED, states: [BROKEN, STOPPED]}
states: [{name: NEW}, {name: WORKING}, {name: DONE}, {name: BROKEN}, {name: STOPPED}]
transitions:
  - {from: NEW, to: WORKING, eligible: WFX}
  - {from: WORKING, to: DONE, eligible: WFX}
  - {from: WORKING, to: BROKEN, eligible: WFX}
  - {from: NEW, to: STOPPED, eligible: WFX}
  - {from: WORKING, to: STOPPED, eligible: WFX}
"""
Ctl = Callable[..., CompletedProcess[str]]


@pytest.fixture
def service(tmp_path: Path) -> Iterator[LocalService]:
    """A server with a database on disk."""
    service = LocalService(tmp_path).start()
    yield service
    service.stop()


def arguments(service: LocalService, *words: str) -> list[str]:
    """A command line of wfxctl against the service."""
    ports = (f"--mgmt-port={service.ports['north']}", f"--client-port={service.ports['south']}")
    return [sys.executable, "-m", "wfxctl", *ports, *words]


@pytest.fixture
def ctl(service: LocalService) -> Ctl:
    """Run a command to its end."""

    def run(*words: str, code: int = 0, stdin: str = "") -> CompletedProcess[str]:
        line = arguments(service, *words)
        done = subprocess.run(
            line, cwd=service.folder, input=stdin, capture_output=True, text=True, timeout=240, check=False
        )
        assert done.returncode == code, done
        return done

    (service.folder / "lamp.yml").write_text(FLOW)
    run("workflow", "create", "lamp.yml")
    return run


def counted(done: CompletedProcess[str]) -> tuple[int, int, int]:
    """How many jobs were done, failed and left."""
    told = json.loads(done.stdout)
    return told["done"], told["failed"], told["rest"]


def states(ctl: Ctl, *conditions: str) -> dict[str, int]:
    """How many jobs are in which state."""
    told = json.loads(ctl("job", "summary", "--output", "json", *conditions).stdout)
    return {row["state"]: row["jobs"] for row in told["counts"]}


@pytest.mark.timeout(600)
def test_the_day_of_five_thousand_devices(service: LocalService, ctl: Ctl) -> None:
    """Create, watch, find what is stuck, retry what failed, stop the rest, report: one command each, exact counts."""
    clients = "".join(f"dev-{n:04}\n" for n in range(DEVICES))
    create = ("job", "create", "--clients-from", "-", "--workflow", "lamp", "--tag", "day")
    assert counted(ctl(*create, "--results", "made.csv", stdin=clients)) == (DEVICES, 0, 0)
    made = list(csv.DictReader((service.folder / "made.csv").read_text().splitlines()))
    assert [row["client"] for row in made] == clients.split()
    assert len({row["id"] for row in made}) == DEVICES

    screen = service.folder / "screen"
    watch = arguments(service, "job", "summary", "--tag", "day", "--watch")
    with screen.open("w") as out, subprocess.Popen(watch, stdout=out) as watching:
        try:
            eventually(lambda: f"{DEVICES}" in screen.read_text(), "all jobs on the screen")
            move = ("job", "update-status", "--tag", "day", "--yes")
            assert counted(ctl(*move, "--state", "WORKING")) == (DEVICES, 0, 0)
            assert counted(ctl(*move, "--client-prefix", "dev-00", "--state", "BROKEN"))[0] == 100
            assert counted(ctl(*move, "--client-prefix", "dev-4", "--state", "DONE"))[0] == 1000
            eventually(lambda: "DONE" in screen.read_text(), "the change on the screen")
        finally:
            watching.terminate()

    stuck = ("job", "query", "--tag", "day", "--group", "OPEN", "--stale", "0s", "--limit", "0", "-o", "name")
    assert len(ctl(*stuck).stdout.split()) == DEVICES - 1100

    assert counted(ctl("job", "retry", "--tag", "day", "--group", "FAILED", "--yes")) == (100, 0, 0)
    assert states(ctl, "--tag", "day") == {"NEW": 100, "WORKING": 3900, "DONE": 1000, "BROKEN": 100}

    stop = ("job", "update-status", "--tag", "day", "--group", "OPEN", "--state", "STOPPED")
    assert json.loads(ctl(*stop, "--dry-run").stdout)["count"] == 4000
    assert "4,000 jobs" in ctl(*stop, code=1).stderr
    assert counted(ctl(*stop, "--yes")) == (4000, 0, 0)

    report = ctl("job", "query", "--tag", "day", "--limit", "0", "-o", "csv", "--columns", "client,state").stdout
    rows = list(csv.DictReader(report.splitlines()))
    assert Counter(row["state"] for row in rows) == {"DONE": 1000, "BROKEN": 100, "STOPPED": 4000}


@pytest.mark.timeout(600)
def test_an_interrupted_command_goes_on(service: LocalService, ctl: Ctl) -> None:
    """A server that dies while 3,000 jobs are created delays the command; each job is there once afterwards."""
    (service.folder / "clients").write_text("".join(f"c{n}\n" for n in range(3000)))
    line = arguments(service, "job", "create", "--clients-from", "clients", "--workflow", "lamp", "--results=r.ndjson")
    with subprocess.Popen(line, cwd=service.folder, stdout=subprocess.PIPE, text=True) as creating:
        results = service.folder / "r.ndjson"
        eventually(lambda: results.exists() and results.stat().st_size > 0, "the first results")
        service.stop(signal.SIGKILL)
        service.start()
        out, _ = creating.communicate(timeout=240)
    assert (json.loads(out)["done"], creating.returncode) == (3000, 0)
    assert states(ctl) == {"NEW": 3000}
    assert len({json.loads(row)["id"] for row in results.read_text().splitlines()}) == 3000


@pytest.mark.timeout(600)
def test_ctrl_c_and_going_on(service: LocalService, ctl: Ctl) -> None:
    """Interrupted by Ctrl-C amid 10,000 jobs it prints a token, by which the same command does exactly the rest."""
    clients = "".join(f"c{n}\n" for n in range(10_000))
    (service.folder / "clients").write_text(clients)
    words = ("job", "create", "--clients-from", "clients", "--workflow", "lamp", "--results", "r.ndjson")
    results = service.folder / "r.ndjson"
    line = arguments(service, *words)
    with subprocess.Popen(
        line, cwd=service.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as creating:
        eventually(lambda: results.exists() and results.stat().st_size > 0, "the first results")
        creating.send_signal(signal.SIGINT)
        out, err = creating.communicate(timeout=240)
    assert creating.returncode == 130
    assert 0 < json.loads(out)["done"] < 10_000
    assert counted(ctl(*words, "--resume", err.split()[-1])) == (10_000, 0, 0)
    assert states(ctl) == {"NEW": 10_000}
    assert [json.loads(row)["clientId"] for row in results.read_text().splitlines()] == clients.split()
