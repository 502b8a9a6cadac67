"""Starting, stopping, and what both engines do alike."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from left_behind import Inspected
from rawhttp import Wire, request

from wfx.config import options
from wfx.demo.local import LocalService
from wfx.server import engine

BASE = "/api/wfx/v1"


def test_engine_names() -> None:
    """Each engine an operator can name exists, and each that exists can be named."""
    assert set(options.ENGINES) == set(engine._ENGINES)


def test_continue_is_answered_at_once(service: LocalService, job: dict[str, Any]) -> None:
    """A device that sends ``Expect: 100-continue`` is told to go on before it sends its body."""
    body = b'{"state": "INSTALLING", "clientId": "dev", "progress": 57, "message": "m", "context": { "lines": [] }}'
    head, _, _ = request("PUT", f"{BASE}/jobs/{job['id']}/status", body, "Expect: 100-continue").partition(body)
    with Wire(service.ports["south"]) as wire:
        wire.send(head)
        assert wire.until(b"\r\n\r\n").startswith(b"HTTP/1.1 100")
        wire.send(body)
        answer = wire.answer()
    assert (answer.status, json.loads(answer.body)["progress"]) == (200, 57)


def test_too_large_by_declaration(service: LocalService) -> None:
    """A body that is declared too large is refused without waiting for it (hypercorn asks for it all the same)."""
    headers = ("Expect: 100-continue", "Content-Length: 1000001", "Content-Type: application/json")
    head = request("POST", f"{BASE}/jobs", b"", *headers)
    with Wire(service.ports["north"]) as wire:
        wire.send(head)
        answer = wire.answer()
        if answer.status == 100:
            answer = wire.answer()
    assert answer.status == 413


@pytest.mark.parametrize("framing", ["declared", "chunked"])
def test_body_limit(service: LocalService, framing: str) -> None:
    """Row 31: a body beyond the limit is a 413 that names the limit, whether its length was declared or not."""
    too_long = b'{"clientId":"' + b"x" * 1_000_000 + b'"}'
    with httpx.Client(base_url=service.north + BASE, trust_env=False) as client:
        content = too_long if framing == "declared" else iter([too_long[:500_000], too_long[500_000:]])
        answer = client.post("/jobs", content=content, headers={"Content-Type": "application/json"})
        assert (answer.status_code, answer.text) == (413, "request body is larger than 1000000 bytes\n")
        assert client.get("/version").status_code == 200, "others are served on"


def test_largest_body(service: LocalService, job: dict[str, Any]) -> None:
    """A body of exactly the limit is taken."""
    definition = b'{"x":"' + b"y" * (1_000_000 - 8) + b'"}'
    headers = {"Content-Type": "application/json"}
    answer = httpx.put(f"{service.north}{BASE}/jobs/{job['id']}/definition", content=definition, headers=headers)
    assert answer.status_code == 200
    assert len(answer.content) == 1_000_001


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("name", ["uvicorn", "hypercorn"])
def test_stop(tmp_path: Path, name: str, how: signal.Signals) -> None:
    """Ctrl-C and SIGTERM end the service with exit code 0, also while somebody listens to events."""
    with (
        LocalService(tmp_path, f"--http-engine={name}") as service,
        httpx.stream("GET", f"{service.south}{BASE}/jobs/events", timeout=60) as events,
    ):
        assert events.status_code == 200
        assert service.stop(how) == 0
        assert b"".join(events.iter_raw()) == b"", "the stream ends cleanly"
    assert not list(tmp_path.glob("*-wal")), "the database is closed"


def test_restart_keeps_everything(tmp_path: Path) -> None:
    """What was created is there after a restart."""
    service = LocalService(tmp_path)
    workflow = {"name": "w", "states": [{"name": "S"}], "transitions": []}
    with service:
        httpx.post(f"{service.north}{BASE}/workflows", json=workflow)
        job = httpx.post(f"{service.north}{BASE}/jobs", json={"clientId": "c", "workflow": "w"}).json()
    with service:
        assert httpx.get(f"{service.south}{BASE}/jobs/{job['id']}").json() == {**job, "tags": []}


def start_and_fail(folder: Path, *options: str) -> tuple[int, str]:
    """Run wfx until it ends by itself; returns its exit status and what it said on stderr."""
    command = [sys.executable, "-m", "wfx", "--client-port=0", "--mgmt-port=0", "--client-host=127.0.0.1", *options]
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    return ended.returncode, ended.stderr


def test_port_in_use(tmp_path: Path) -> None:
    """A port that is taken ends the start with exit code 1 and an error that names it."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, said = start_and_fail(tmp_path, f"--mgmt-port={port}")
    assert code == 1
    assert said.startswith("Error: ")
    assert f"127.0.0.1:{port}" in said
    assert "Traceback" not in said


def test_unusable_storage(tmp_path: Path) -> None:
    """A storage that cannot be opened ends the start with exit code 1 and an error that names the place."""
    code, said = start_and_fail(tmp_path, "--storage-opt", "file:missing/wfx.db")
    assert code == 1
    assert "missing" in said
    assert "Traceback" not in said


def test_storage_is_named_once(tmp_path: Path) -> None:
    """At level debug, one record says which storage is set up; scripts look for it."""
    with LocalService(tmp_path, "--log-level=debug") as service:
        pass
    assert sum('Setting up persistent storage \\"sqlite\\"' in line for line in service.lines) == 1


def test_default_file(tmp_path: Path) -> None:
    """The default storage is wfx.db in the working directory; in memory, there is no file."""
    with LocalService(tmp_path):
        assert (tmp_path / "wfx.db").exists()
    other = tmp_path / "memory"
    other.mkdir()
    with LocalService(other, "--storage-opt=file:wfx?mode=memory&cache=shared&_fk=1"):
        assert not list(other.iterdir())


@pytest.mark.parametrize("name", ["uvicorn", "hypercorn"])
def test_a_fresh_service_is_small(tmp_path: Path, name: str) -> None:
    """A service that has answered one request holds less than 80,000 objects, and less than 6 MB in texts."""
    inspected = Inspected(tmp_path, f"--http-engine={name}")
    with inspected.service as service:
        assert httpx.get(f"{service.south}{BASE}/jobs", trust_env=False).status_code == 200
        found = inspected.look()
    assert found.objects < 80_000
    assert found.bytes < 6_000_000


def test_what_is_loaded_late() -> None:
    """What only rejections need is not imported at start, so the service is ready early."""
    probe = "import sys; import wfx.supervise; print(sorted({m.partition('.')[0] for m in sys.modules}))"
    command = [sys.executable, "-c", probe]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    assert "'starlette'" in loaded
    late = (
        "openapi_core", "hypercorn", "rich", "httpx", "jq", "prometheus_client", "httpcore", "h2", "aiosmtplib",
        "standardwebhooks", "wasmtime", "yaml",
    )  # fmt: skip
    assert not [name for name in late if f"'{name}'" in loaded]


@pytest.mark.parametrize(("option", "said"), [
    ("--client-port=65536", "must be at least 0, at most 65535"),
    ("--client-port=-1", "must be at least 0"),
    ("--sse-grace-interval=0s", "must be at least 1ms"),
    ("--read-timeout=1ns", "must be 0, or at least 1ms"),
    ("--write-timeout=999us", "must be 0, or at least 1ms"),
    ("--cleanup-timeout=-1s", "must be 0, or at least 1ms"),
    ("--sse-ping-interval=1ns", "must be 0, or at least 1ms"),
    ("--filter-timeout=1", "invalid duration"),
    ("--log-level=loud", "must be one of"),
    ("--no-such-option", "unknown flag: --no-such-option"),
])  # fmt: skip
def test_wrong_options(tmp_path: Path, option: str, said: str) -> None:
    """A wrong option ends the start with exit code 1 and says what would be right."""
    code, error = start_and_fail(tmp_path, option)
    assert code == 1
    assert said in error
    assert "Traceback" not in error


def test_configuration_has_an_order(tmp_path: Path) -> None:
    """A flag beats a variable, a variable beats a file; unknown keys and variables are named."""
    (tmp_path / "wfx.yml").write_text("log-level: error\nmax-body-size: 10\nno-such-key: 1\n")
    environment = {"WFX_LOG_LEVEL": "warn", "WFX_MAX_BODY_SIZE": "20", "WFX_NO_SUCH_VARIABLE": "x"}
    with LocalService(tmp_path, "--log-level=info", environment=environment) as service:
        answer = httpx.post(f"{service.north}{BASE}/jobs", content=b"x" * 21)
    assert answer.text == "request body is larger than 20 bytes\n"
    said = "".join(service.lines)
    assert "no-such-key" in said
    assert "WFX_NO_SUCH_VARIABLE" in said
