"""No secret reaches the log, in any format and at any level."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from plugin_programs import PluginDirectory

from tests.logs.journal import SERVING, Journal, Journaled
from tests.waiting import eventually
from wfx.commandline.failures import EXIT_OK
from wfx.demo.local import LocalService

CANARY = "xK7-canary-Qz9"
BASE = "/api/wfx/v1"
WORKFLOW = {
    "name": "flow",
    "states": [{"name": "NEW"}, {"name": "DONE"}],
    "transitions": [{"from": "NEW", "to": "DONE", "eligible": "WFX"}],
}
DEFINITION = {"url": f"https://fleet:{CANARY}@host/", "note": f"it is {CANARY}", CANARY: [CANARY], "password": CANARY}
DSN = f"file:wfx.db?_auth&_auth_user=wfx&_auth_pass={CANARY}&password={CANARY}"
HEADERS = {"Authorization": f"Bearer {CANARY}", "X-Own": CANARY, "Cookie": f"session={CANARY}"}
SPEAKING = f"""
for text in ("token={CANARY}", "<3>Authorization: Bearer {CANARY}", "postgres://u:{CANARY}@db"):
    print(text, file=sys.stderr, flush=True)
print('{{"secret": "two {CANARY} words"}}', file=sys.stderr, flush=True)
while request := frame():
    print("<3>password: {CANARY}", file=sys.stderr, flush=True)
    write(passed(cookie(request)))
"""


def listens(path: Path) -> bool:
    """Tell whether a Unix socket takes connections."""
    with socket.socket(socket.AF_UNIX) as trial:
        return trial.connect_ex(str(path)) == 0


class Kept(LocalService):
    """A service whose output is in a file, in any format."""

    def __init__(self, folder: Path, form: str, *options: str) -> None:
        super().__init__(folder, f"--log-format={form}", *options)

    def start(self) -> Kept:
        """Start; return when both sides answer."""
        command = [sys.executable, "-m", "wfx", "--scheme=unix", f"--client-unix-socket={self.folder}/south",
                   f"--mgmt-unix-socket={self.folder}/north", *self.options]  # fmt: skip
        with (self.folder / "output").open("wb") as output:
            self.process = subprocess.Popen(command, cwd=self.folder, stdout=output, stderr=output, text=True)
        eventually(lambda: listens(self.folder / "north"), "it listens")
        return self


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory whose path has room for sockets' names."""
    return tmp_path_factory.mktemp("log")


@pytest.fixture(params=["json", "pretty", "journald"])
def form(request: pytest.FixtureRequest) -> str:
    """Each format."""
    name: str = request.param
    return name


def ask(client: httpx.Client) -> None:
    """Send secrets wherever there is room for them."""

    def send(method: str, path: str, status: int, **more: object) -> httpx.Response:
        answer = client.request(method, BASE + path, **more)  # type: ignore[arg-type]  # of the parameters used here
        assert answer.status_code == status, answer.text
        return answer

    send("POST", "/workflows", 201, json=WORKFLOW)
    new = {"workflow": "flow", "clientId": "c", "definition": DEFINITION}
    job = send("POST", "/jobs", 201, json=new).json()["id"]
    send("POST", "/jobs", 400, json=new | {"definition": CANARY})
    send("POST", "/jobs", 400, content=json.dumps(DEFINITION)[:-3], headers={"Content-Type": "application/json"})
    send("GET", f"/jobs/{job}?history=true", 200)
    send("GET", f"/jobs/{job}/definition", 200)
    send("GET", f"/jobs?api_key={CANARY}&access%5Ftoken={CANARY}", 200)
    send("GET", "/jobs?state=NEW", 200, headers={"X-Response-Filter": ".content[0].definition"})
    send("PUT", f"/jobs/{job}/definition", 200, json=DEFINITION)
    send("PUT", f"/jobs/{job}/definition", 400, json=[CANARY])
    status = {"state": "DONE", "clientId": "c", "context": DEFINITION, "message": f"failed for a@b.io, token={CANARY}"}
    send("PUT", f"/jobs/{job}/status", 200, json=status)
    send("GET", "/jobs/events?since=0", 200, headers={"Accept": "application/json"})


@pytest.fixture
def journal(folder: Path) -> Iterator[Journal]:
    """A journal."""
    with Journal(folder / "journal") as running:
        yield running


class SilentlyJournaled(Journaled):
    """A service that logs to a journal, at any level."""

    def await_listening(self) -> None:
        """Wait for its socket: it may not log that it listens."""
        eventually(lambda: listens(self.folder / "north"), "it listens")


def logged(folder: Path, journal: Journal) -> str:
    """All that was logged or printed."""
    return (folder / "output").read_text() + b"".join(journal.raw).decode("utf-8", "replace")


@pytest.mark.parametrize("level", ["trace", "debug", "info", "error"])
def test_canary(form: str, level: str, folder: Path, journal: Journal) -> None:
    """Row 57: no record has the secrets of definitions, headers, the storage option and a plugin's standard error."""
    (folder / "plugins").mkdir(mode=0o755)
    PluginDirectory(folder / "plugins").script("speaking", SPEAKING)
    options = (f"--log-level={level}", f"--storage-opt={DSN}", f"--mgmt-plugins-dir={folder}/plugins")
    if form == "journald":
        sockets = ("--scheme=unix", f"--client-unix-socket={folder}/south", f"--mgmt-unix-socket={folder}/north")
        service: LocalService = SilentlyJournaled(folder, journal, *options, *sockets)
    else:
        service = Kept(folder, form, *options)
    with (
        service,
        httpx.Client(
            transport=httpx.HTTPTransport(uds=str(folder / "north")), base_url="http://localhost", headers=HEADERS
        ) as client,
    ):
        ask(client)
        eventually(lambda: "plugin reports an error" in logged(folder, journal), "the plugin's errors are reported")
        assert service.stop() == EXIT_OK
    found = logged(folder, journal)
    assert CANARY not in found
    assert "a@b.io" not in found
    assert ("[REDACTED:email]" in found) == (level != "error"), "changes have the device's message"
    assert ("[REDACTED:definition]" in found) == (level == "trace")
    assert ("processing" in found) == (level in ("trace", "debug"))


@pytest.mark.parametrize(("option", "reason"), [
    (f"file:none/wfx.db?_auth&_auth_pass={CANARY}", "there is no directory"),
    (f"postgres://wfx:{CANARY}@db/wfx", "the storage option begins with postgres://"),
    (f"file:?password={CANARY}", "the storage option names no database file"),
    (f"host=db user=wfx password={CANARY}", "the storage option is the data source of another database"),
    (f"wfx:{CANARY}@tcp(db:3306)/wfx", "the storage option is the data source of another database"),
    (f"file:wfx.db?mode=rw;password={CANARY}", "mode must be one of rw, rwc, memory"),
    (f"file:wfx.db?_pragma=key({CANARY})&secret={CANARY}", "cannot listen on"),
])  # fmt: skip
def test_storage_that_cannot_be_used(option: str, reason: str, form: str, folder: Path, journal: Journal) -> None:
    """Row 57: a storage option that is refused, or warned about, is told without the password in it."""
    command = [sys.executable, "-c", SERVING, str(journal.path), f"--log-format={form}", "--simple-fileserver=/",
               "--log-level=trace", f"--storage-opt={option}", "--scheme=unix",
               f"--client-unix-socket={folder}/south", f"--mgmt-unix-socket={folder}/none/x"]  # fmt: skip
    with (folder / "output").open("wb") as output:
        ended = subprocess.run(command, cwd=folder, stdout=output, stderr=output, timeout=60, check=False)
    if form == "journald":
        journal.await_entries("wfx starts")
    found = logged(folder, journal)
    assert ended.returncode == 1
    assert "Setting up persistent storage" in found
    assert reason in found
    assert CANARY not in found
