"""Schemathesis, made from the served document, finds no failure and no answer that is not as documented."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from string import Template
from typing import Any

import httpx
import pytest
import yaml

from wfx.api import spec
from wfx.demo.local import LocalService

BASE = "/api/wfx/v1"
HERE = Path(__file__).parent
IN_CI = "CI" in os.environ
CASES = 25 if IN_CI else 10
"""For each operation and phase; how many there are in all also depends on the document."""
JOBS = 60


def populate(service: LocalService) -> dict[str, list[str]]:
    """Create workflows and jobs; return what there is, to ask for."""
    with httpx.Client(base_url=service.north + BASE, timeout=60, trust_env=False) as north:
        direct = yaml.safe_load(spec.find("workflows/wfx.workflow.dau.direct.yml").read_bytes())
        names = [direct["name"], "spare.1", "spare.2"]
        for name in names:
            north.post("/workflows", json=direct | {"name": name}).raise_for_status()
        jobs = []
        for number in range(JOBS):
            request = {"clientId": f"c{number % 5}", "workflow": names[0], "tags": ["a"], "definition": {"n": number}}
            jobs.append(north.post("/jobs", json=request).raise_for_status().json()["id"])
        query: dict[str, Any] = {"since": "now"}
        head = north.get("/jobs/events", params=query, headers={"Accept": "application/json"}).json()["next"]
    states = ["INSTALL", "INSTALLING", "TERMINATED", "INSTALLED", "NOWHERE"]
    return {"JOBS": jobs, "WORKFLOWS": names, "STATES": states, "POSITIONS": ["0", "now", "7", head]}


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("side", "engine"), [("north", "uvicorn"), ("south", "hypercorn")])
def test_nothing_unexpected(tmp_path: Path, side: str, engine: str) -> None:
    """Row 34: no request made from the document or against it gets a 5xx, or an answer that it does not describe.

    Each side is fuzzed on one engine: what differs between engines is below the application.
    """
    with LocalService(tmp_path, f"--http-engine={engine}") as service:
        values = {name: json.dumps(value) for name, value in populate(service).items()}
        config = tmp_path / "schemathesis.toml"
        config.write_text(Template((HERE / "schemathesis.toml").read_text()).substitute(values))
        address = service.north if side == "north" else service.south
        command = [
            str(Path(sys.executable).with_name("st")), f"--config-file={config}", "run",
            f"{address}{BASE}/openapi.json", f"--max-examples={CASES}", "--no-color",
            *(("--generation-deterministic",) if IN_CI else ()),
        ]  # fmt: skip
        hooks = {"SCHEMATHESIS_HOOKS": str(HERE / "hooks.py"), "PYTHONPATH": os.pathsep.join(sys.path)}
        ended = subprocess.run(command, cwd=tmp_path, env={**os.environ, **hooks}, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True, timeout=500, check=False)
        assert ended.returncode == 0, ended.stdout
        version = httpx.get(f"{address}/version", trust_env=False)
        assert version.status_code == 200, "the service is alive"
    assert not [line for line in service.lines if "Traceback" in line]
