"""Nothing that a device or an operator wrote commands the terminal of somebody who looks at it."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import re
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from wfx.demo.local import LocalService

DEADLINE = 20.0
EVIL = "=cmd|'/C calc'!A0\x1b]0;owned\x07\x1b[2J\x9b31m\u202eevil\x7f\r"
"""A formula, a window title, a cleared screen, a colour the eight-bit way, text turned round, a line written over."""
STATES = ("A" + EVIL, "B" + EVIL)
WORKFLOW = {
    "name": "w", "description": EVIL, "states": [{"name": name, "description": EVIL} for name in STATES],
    "transitions": [{"from": STATES[0], "to": STATES[1], "eligible": "CLIENT"}],
    "groups": [{"name": "OPEN" + EVIL, "states": [STATES[0]]}],
}  # fmt: skip
HARMFUL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


@dataclass
class World:
    """A service with a job whose every text is hostile."""

    service: LocalService
    job: str


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Start the service and create the job."""
    with LocalService(tmp_path_factory.mktemp("terminal")) as service:
        base = f"{service.north}/api/wfx/v1"
        httpx.post(f"{base}/workflows", json=WORKFLOW, trust_env=False).raise_for_status()
        body = {"clientId": EVIL, "workflow": "w", "tags": [EVIL], "definition": {EVIL: EVIL}}
        job = httpx.post(f"{base}/jobs", json=body, trust_env=False).raise_for_status().json()["id"]
        status = {"state": STATES[1], "clientId": EVIL, "message": EVIL, "context": {EVIL: EVIL}}
        answer = httpx.put(f"{service.south}/api/wfx/v1/jobs/{job}/status", json=status, trust_env=False)
        answer.raise_for_status()
        yield World(service, job)


def command(world: World, *argv: str) -> list[str]:
    """A command line of wfxctl for this service."""
    ports = [f"--client-port={world.service.ports['south']}", f"--mgmt-port={world.service.ports['north']}"]
    return [str(Path(sys.executable).with_name("wfxctl")), *argv, *ports]


def on_terminal(argv: list[str], enough: Callable[[str], bool] = lambda _: False) -> str:
    """Run a command on a terminal of its own until it ends, or has shown enough; returns what the terminal was sent."""
    ours, theirs = pty.openpty()
    attributes = termios.tcgetattr(theirs)
    attributes[1] &= ~termios.OPOST  # line ends come as they were written
    termios.tcsetattr(theirs, termios.TCSANOW, attributes)
    environment = os.environ | {"NO_COLOR": "1", "TERM": "xterm-256color"}
    process = subprocess.Popen(argv, stdin=theirs, stdout=theirs, stderr=theirs, env=environment)
    os.close(theirs)
    shown, deadline = b"", time.monotonic() + DEADLINE
    while not enough(shown.decode(errors="replace")):
        assert time.monotonic() < deadline, shown
        try:
            shown += os.read(ours, 65536)
        except OSError:  # the other side is closed
            break
    process.terminate()
    process.wait(DEADLINE)
    os.close(ours)
    return shown.decode()


COMMANDS: list[list[str]] = [
    ["job", "query"], ["job", "query", "--output", "table"], ["job", "get", "--id", "{job}", "--history"],
    ["job", "get", "--id", "{job}", "--output", "table"], ["job", "get-status", "--id", "{job}"],
    ["job", "get-tags", "--id", "{job}"], ["job", "get-definition", "--id", "{job}"],
    ["job", "query", "--filter", ".content[].clientId", "--raw"], ["workflow", "query", "--output", "table"],
    ["workflow", "get", "--name", "w"], ["workflow", "query", "--filter", ".content[].states[].name", "--raw"],
    ["job", "query", "--filter", ".content[] | [.clientId, .status.message] | @csv", "--raw"],
    ["job", "wait", "--id", "{job}", "--for", "state={state}"],
    ["job", "wait", "--id", "{job}", "--for", "state=" + EVIL],
    ["job", "wait", "--id", EVIL, "--for", "state=x"],
    ["job", "get", "--id", EVIL], ["workflow", "get", "--name", EVIL], ["job", "delete", "--id", EVIL],
    ["job", "update-status", "--id", "{job}", "--state", EVIL], ["job", "query", "--sort", EVIL],
    ["job", "query", "--filter", EVIL], ["job", "query", "--filter", ".content[].clientId | error"],
    ["job", "create", "--client-id", EVIL, "--workflow", EVIL, EVIL], [EVIL], ["job", EVIL], ["job", "query", EVIL],
    ["job", "query", "--" + EVIL], ["workflow", "validate", EVIL], ["job", "query", "--config", "/proc/1/" + EVIL],
    ["job", "query", "--client-host", EVIL], ["job", "query", "--log-level", EVIL],
    ["job", "describe", "{job}"], ["job", "history", "{job}"], ["job", "query", "--state", EVIL, "--verbose"],
    *(["job", "query", "-o", form] for form in ("wide", "csv", "yaml", "name")), ["workflow", "get", "w", "-o", "yaml"],
    ["job", "query", "--columns", EVIL], ["job", "query", "--sort-by", EVIL], ["--context", EVIL, "job", "query"],
    ["job", "query", "--header", EVIL], ["job", "query", "--header", "X: " + EVIL], ["context", "use", EVIL],
]  # fmt: skip


@pytest.mark.parametrize("argv", COMMANDS, ids=lambda argv: ascii(" ".join(argv))[:60])
def test_commands_on_a_terminal(world: World, argv: list[str]) -> None:
    """Row 43: whatever wfxctl shows on a terminal, results and errors alike, has no character that commands it."""
    places = {"job": world.job, "state": STATES[1]}
    filled = [word.format(**places) if word.startswith(("{", "state={")) else word for word in argv]
    shown = on_terminal(command(world, *filled))
    assert shown.strip()
    assert not HARMFUL.findall(shown), ascii(shown)


@pytest.mark.parametrize("argv", [
    ["job", "events", "--since", "0"], ["job", "events", "--since", "0", "--output", "line"],
    ["job", "query", "--watch", "--output", "table"], ["job", "query", "--watch"],
], ids=" ".join)  # fmt: skip
def test_followers_on_a_terminal(world: World, argv: list[str]) -> None:
    """Row 43: what is shown as it happens has no such character either."""
    shown = on_terminal(command(world, *argv), lambda text: text.count("evil") >= 2 and text.endswith("\n"))
    assert not HARMFUL.findall(shown), ascii(shown)


def test_files_get_what_there_is(world: World) -> None:
    """Row 43: JSON that goes to a file or a pipe is escaped as JSON is, and means what was sent."""
    output = subprocess.run(command(world, "job", "get", "--id", world.job), capture_output=True, check=True).stdout
    shown: dict[str, Any] = json.loads(output)
    assert shown["clientId"] == shown["status"]["message"] == EVIL
    assert b"\x1b" not in output


def test_cells_for_spreadsheets(world: World) -> None:
    """Row 43: the documented filter makes CSV in which no cell is a formula, and every cell can be read back."""
    guide = (Path(__file__).parents[3] / "docs" / "wfxctl.md").read_text(encoding="utf-8")
    cell = re.search(r"^def cell: .*;$", guide, re.MULTILINE)
    assert cell is not None
    program = f"{cell[0]} .content[] | [.clientId, .status.message, .id] | map(cell) | @csv"
    argv = command(world, "job", "query", "--raw", "--filter", program)
    output = subprocess.run(argv, capture_output=True, check=True).stdout.decode()
    row = next(csv.reader(io.StringIO(output, newline="")))
    assert row == ["'" + EVIL, "'" + EVIL, world.job]
