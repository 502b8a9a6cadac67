"""Strict mode of expressions on a running service: ``--sandbox-expression-strict-mode``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.reactions.ruled_service import clients
from tests.waiting import eventually
from wfx.demo.local import LocalService

OWN = """version: v1
scenarios:
  - id: greet
    event_types: [login]
    children:
      - condition:
          id: by_name
          expression: 'flw.string.upper(payload.name) == "A"'
          children:
            - action: {id: hello, type: reward_points, params: {operation: award, points: 1}}
"""
FOREIGN = OWN.replace("flw.string.upper", "acme.shine")
ASSIGNING = FOREIGN.replace("{operation: award, points: 1}", "{operation: award, points_formula: 'payload.a = 1'}")
NOT_ALLOWED = (
    "rules.yml:8:24: scenarios[0].children[0].condition.expression: "
    "the function acme.shine is not allowed in strict mode"
)
NO_ASSIGNMENT = (
    "rules.yml:10:110: scenarios[0].children[0].condition.children[0].action.params.points_formula: "
    "'=' is not part of expressions: compare with =="
)
STRICT = "--sandbox-expression-strict-mode"


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """An environment with a package that adds a function, and does not allow it in strict mode."""
    folder = tmp_path / "packages"
    record = folder / "acme_package-1.dist-info"
    record.mkdir(parents=True)
    (record / "METADATA").write_text("Name: acme-package\nVersion: 1\n")
    (record / "entry_points.txt").write_text("[wfx.functions]\nacme.shine = acme_package:shine\n")
    (folder / "acme_package.py").write_text("def shine(text):\n    return text.upper()\n")
    return {"PYTHONPATH": str(folder)}


def test_a_check_in_strict_mode(tmp_path: Path, environment: dict[str, str]) -> None:
    """``wfxctl rule validate`` finds what a server in strict mode would, if it is told to."""
    module = tmp_path / "packages" / "acme_package.py"
    (tmp_path / "rules.yml").write_text(FOREIGN)

    def checked(*options: str) -> str:
        command = [sys.executable, "-m", "wfxctl", "rule", "validate", "rules.yml", *options]
        return subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False
        ).stdout

    assert checked() == "rules.yml : OK (1 scenario)\n"
    assert checked(STRICT) == f"ERROR: {NOT_ALLOWED}\n"
    allowed = "from wfx.expressions.functions import allowed_in_strict_mode\n\n\n@allowed_in_strict_mode\n"
    module.write_text(allowed + module.read_text())
    assert checked(STRICT) == "rules.yml : OK (1 scenario)\n"


def test_a_start_in_strict_mode(tmp_path: Path, environment: dict[str, str]) -> None:
    """A service in strict mode does not start with rules that assign, or call what is not listed, and says where."""
    (tmp_path / "rules.yml").write_text(ASSIGNING)
    command = [sys.executable, "-m", "wfx", "--client-port=0", "--mgmt-port=0", "--rules=rules.yml", STRICT]
    ended = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 1
    assert NOT_ALLOWED in ended.stderr
    assert NO_ASSIGNMENT in ended.stderr
    assert not (tmp_path / "wfx.db").exists()


def test_a_reload_in_strict_mode(tmp_path: Path, environment: dict[str, str]) -> None:
    """In strict mode a reload refuses such rules with the place of each fault, and the ones from before go on."""
    (tmp_path / "rules.yml").write_text(OWN)
    options = ("--rules=rules.yml", STRICT)
    with LocalService(tmp_path, *options, environment=environment) as service, clients(service) as client:
        (tmp_path / "rules.yml").write_text(ASSIGNING)
        refused = client.post("/rules/reload")
        event = {"type": "login", "actor_id": "a", "payload": {"name": "a"}}
        answer = client.post("/events", json=event).json()
    assert (refused.status_code, refused.json()["faults"]) == (400, [NOT_ALLOWED, NO_ASSIGNMENT])
    assert answer["scenarios_matched"] == ["greet"]


def test_strict_mode_may_begin_while_the_service_runs(tmp_path: Path, environment: dict[str, str]) -> None:
    """What a package adds may be called until strict mode is set; then the rules have a fault, and go on as before."""
    (tmp_path / "rules.yml").write_text(FOREIGN)
    config = tmp_path / "wfx.yml"
    config.write_text("rules: rules.yml\n")
    with (
        LocalService(tmp_path, "--config=wfx.yml", environment=environment) as service,
        clients(service) as client,
    ):
        assert "faults" not in client.get("/rules").json()
        config.write_text("rules: rules.yml\nsandbox: {expression: {strict-mode: true}}\n")
        eventually(lambda: client.get("/rules").json().get("faults") == [NOT_ALLOWED], "there is a fault")
        assert [one["id"] for one in client.get("/rules").json()["scenarios"]] == ["greet"]
