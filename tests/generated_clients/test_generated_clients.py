from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from wfx.demo.local import LocalService

HERE = Path(__file__).parent
BASE = "/api/wfx/v1"
FLEET = "/api/fleet/v1"
BIN = Path(sys.prefix) / "bin"
MODULES = Path(sys.prefix) / "generated-clients" / "node_modules"
WORKFLOW = {
    "name": "lamp.flow",
    "states": [{"name": "DARK"}, {"name": "BRIGHT"}],
    "transitions": [{"from": "DARK", "to": "BRIGHT", "eligible": "CLIENT"}],
    "groups": [{"name": "OPEN", "states": ["DARK"]}, {"name": "CLOSED", "states": ["BRIGHT"]}],
}


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[LocalService]:
    """A service with an empty store."""
    folder = tmp_path / "service"
    folder.mkdir()
    with LocalService(folder) as running:
        yield running


@pytest.fixture
def document(fresh: LocalService, tmp_path: Path) -> Path:
    """The OpenAPI document as the service serves it, in a file."""
    path = tmp_path / "openapi.json"
    path.write_bytes(httpx.get(f"{fresh.north}{BASE}/openapi.json").content)
    return path


@pytest.fixture
def typescript(tmp_path: Path) -> Path:
    """A folder for a TypeScript program, with the packages that it needs."""
    assert MODULES.is_dir(), "the TypeScript tools are missing: `make test` installs them"
    folder = tmp_path / "typescript"
    folder.mkdir()
    (folder / "node_modules").symlink_to(MODULES)
    for name in ("package.json", "tsconfig.json"):
        shutil.copy(HERE / name, folder)
    return folder


def run(folder: Path, *command: str | Path) -> str:
    """Run a program in a folder and return what it prints; fail with its output if it fails."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def node_tool(name: str) -> list[str | Path]:
    """Return the command of a TypeScript tool."""
    return [BIN / "node", MODULES / ".bin" / name]


def generate_python(folder: Path, document: Path) -> str:
    """Make a client with openapi-python-client in a folder; return what the generator says."""
    (folder / "generator.yml").write_text("post_hooks: []\n")
    options = ("--meta", "none", "--output-path", "fleet_client", "--config", "generator.yml")
    return run(folder, BIN / "openapi-python-client", "generate", "--path", document, *options)


def require_round_trip(printed: str, fresh: LocalService) -> dict[str, Any]:
    """Hold what a generated client printed against what the service knows."""
    found: dict[str, Any] = json.loads(printed.splitlines()[-1])
    job = httpx.get(f"{fresh.north}{BASE}/jobs/{found['id']}").json()
    assert job["definition"] == {"n": 3, "deep": {"on": True}}
    assert job["status"]["context"] == {"lines": ["on"]}
    assert found["listed"] == [found["id"]]
    assert found["total"] == 1
    assert found["state"] == job["status"]["state"] == "BRIGHT"
    assert found["tags"] == job["tags"] == ["hall1", "line2"]
    assert found["missing"] == "wfx.jobNotFound"
    return found


def test_openapi_typescript_and_openapi_fetch(fresh: LocalService, document: Path, typescript: Path) -> None:
    """A client of openapi-typescript and openapi-fetch compiles strictly, and creates, reads, lists and updates."""
    run(typescript, *node_tool("openapi-typescript"), document, "--output", "schema.d.ts")
    program = shutil.copy(HERE / "openapi_fetch_round_trip.ts", typescript)
    run(typescript, *node_tool("tsc"), "--project", ".")
    printed = run(typescript, BIN / "node", program, fresh.north + BASE, fresh.south + BASE, json.dumps(WORKFLOW))
    require_round_trip(printed, fresh)


def test_hey_api(fresh: LocalService, document: Path, typescript: Path) -> None:
    """A client made by @hey-api/openapi-ts compiles strictly, does the same, and follows the events of the job."""
    output = {"path": "client", "importFileExtension": ".ts"}  # so that node runs it as it is
    config = {"input": str(document), "output": output, "plugins": ["@hey-api/client-fetch"]}
    (typescript / "openapi-ts.config.mjs").write_text(f"export default {json.dumps(config)}")
    run(typescript, *node_tool("openapi-ts"))
    program = shutil.copy(HERE / "hey_api_round_trip.ts", typescript)
    run(typescript, *node_tool("tsc"), "--project", ".")
    printed = run(typescript, BIN / "node", program, fresh.north + BASE, fresh.south + BASE, json.dumps(WORKFLOW))
    assert require_round_trip(printed, fresh)["actions"] == ["CREATE", "UPDATE_STATUS", "ADD_TAGS"]


def test_openapi_python_client(fresh: LocalService, document: Path, tmp_path: Path) -> None:
    """A client made by openapi-python-client is complete, passes mypy, and creates, reads, lists and updates."""
    assert "Warning" not in generate_python(tmp_path, document)
    program = shutil.copy(HERE / "python_round_trip.py", tmp_path)
    run(tmp_path, sys.executable, "-m", "mypy", "--check-untyped-defs", "--cache-dir=none", program)
    printed = run(tmp_path, sys.executable, program, fresh.north + BASE, fresh.south + BASE, json.dumps(WORKFLOW))
    require_round_trip(printed, fresh)


def test_openapi_python_client_of_the_fleet_api(fresh: LocalService, tmp_path: Path) -> None:
    """A client made from the fleet document is complete, passes mypy, and counts, lists and is refused."""
    httpx.post(f"{fresh.north}{BASE}/workflows", json=WORKFLOW).raise_for_status()
    for number in range(3):
        request = {"clientId": f"lamp-{number}", "workflow": WORKFLOW["name"], "tags": ["hall1"]}
        httpx.post(f"{fresh.north}{BASE}/jobs", json=request).raise_for_status()
    document = tmp_path / "fleet.json"
    document.write_bytes(httpx.get(f"{fresh.north}{FLEET}/openapi.json").content)
    assert "Warning" not in generate_python(tmp_path, document)
    program = shutil.copy(HERE / "fleet_round_trip.py", tmp_path)
    run(tmp_path, sys.executable, "-m", "mypy", "--check-untyped-defs", "--cache-dir=none", program)
    assert json.loads(run(tmp_path, sys.executable, program, fresh.north + FLEET)) == {
        "total": 3, "states": ["DARK"], "clients": ["lamp-0", "lamp-1", "lamp-2"], "refused": ["wfx.badRequest"],
    }  # fmt: skip
