"""Running Schemathesis, by the document that requests are checked against, on a service with something in it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from string import Template
from typing import Any

import httpx
import yaml

from wfx import spec_files
from wfx.api import spec
from wfx.demo.local import LocalService

BASE = "/api/wfx/v1"
HERE = Path(__file__).parent
CHARACTERS = HERE.parents[1] / ".hypothesis" / "unicode_data"
"""Where Hypothesis keeps its tables of characters when the tests run."""
JOBS = 60


def fuzz(
    service: LocalService,
    address: str,
    command: str,
    *options: str,
    timeout: float,
    name: str = spec.DOCUMENTS[0],
) -> None:
    """Run a command of Schemathesis, ``run`` or ``fuzz``, on one side, by the document with this name.

    Raises AssertionError with all that it said.
    """
    values = {name: json.dumps(value) for name, value in _populate(service).items()}
    config = service.folder / "schemathesis.toml"
    config.write_text(Template((HERE / "schemathesis.toml").read_text()).substitute(values))
    _share_tables_of_characters(service.folder)
    document = service.folder / "document.json"
    document.write_text(json.dumps(spec.document(name)))
    base = spec.document(name)["servers"][0]["url"]
    arguments = [
        str(Path(sys.executable).with_name("st")), f"--config-file={config}", "--no-color", command,
        str(document), f"--url={address}{base}", *options,
    ]  # fmt: skip
    hooks = {"SCHEMATHESIS_HOOKS": str(HERE / "hooks.py"), "PYTHONPATH": os.pathsep.join(sys.path)}
    ended = subprocess.run(
        arguments,
        cwd=service.folder,
        env={**os.environ, **hooks},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout
    version = httpx.get(f"{address}/version", trust_env=False)
    assert version.status_code == 200, "the service is alive"
    assert not [line for line in service.lines if "Traceback" in line]


def _share_tables_of_characters(folder: Path) -> None:
    """Let Hypothesis find its tables of all characters, which it would make anew in each directory that it runs in."""
    CHARACTERS.mkdir(parents=True, exist_ok=True)
    link = folder / ".hypothesis" / CHARACTERS.name
    link.parent.mkdir(exist_ok=True)
    if not link.exists():
        link.symlink_to(CHARACTERS)


def _populate(service: LocalService) -> dict[str, list[str]]:
    """Create workflows and jobs; return what there is, to ask for."""
    with httpx.Client(base_url=service.north + BASE, timeout=60, trust_env=False) as north:
        direct = yaml.safe_load(spec_files.find("workflows/wfx.workflow.dau.direct.yml").read_bytes())
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
