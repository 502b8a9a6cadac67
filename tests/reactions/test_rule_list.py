"""``GET /v1/rules`` and ``POST /v1/rules/reload``, and rule files that change while the service runs."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import threading
from pathlib import Path

import httpx
import pytest

from tests.reactions.ruled_service import clients, rules_with
from tests.waiting import eventually
from wfx.demo.local import LocalService

RULES = """version: v1
scenarios:
  - id: greet
    description: Greets whoever logs in
    event_types: [login, logon]
    sources: [web]
    children:
      - condition:
          id: by_name
          expression: payload.name > 0
          children:
            - action: {id: hello, type: reward_points, params: {operation: award, points: 1}}
      - action: {id: mark, type: add_tags, params: {tags: [x], job_id: "${payload.job}"}}
"""
SCRIPTED = RULES.replace(
    'type: add_tags, params: {tags: [x], job_id: "${payload.job}"}', "type: run_script, params: {script: s}"
)
FAULTY = RULES.replace("event_types", "event_typs").replace("> 0", "= 0")


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """A rule file."""
    return rules_with(tmp_path, RULES)


def test_scripts_that_are_off_are_told(tmp_path: Path, rules: Path) -> None:
    """Rules with scripts are loaded where scripts are off, with a warning in the list and in the log."""
    rules.write_text(SCRIPTED)
    expected = ["scenario greet runs a script, and scripts are off (--enable-scripts): that fails"]
    with LocalService(tmp_path, f"--rules={rules}") as service, clients(service) as client:
        assert client.get("/rules").json()["warnings"] == expected
        rules.write_text(RULES)
        assert "warnings" not in client.post("/rules/reload").json()
        rules.write_text(SCRIPTED)
        assert client.post("/rules/reload").json()["warnings"] == expected
    told = [line for line in service.lines if "rules run scripts, and scripts are off" in line]
    assert len(told) == 2
    assert expected[0] in told[0]


def test_the_rules_are_shown(tmp_path: Path, rules: Path) -> None:
    """The list tells what is loaded from where, and of each scenario what it does, did, and failed in last."""
    with LocalService(tmp_path, f"--rules={rules}") as service, clients(service) as client:
        shown = client.get("/rules").json()
        event = {"type": "login", "source": "web", "actor_id": "a", "payload": {"name": "a"}}
        client.post("/events", json=event).raise_for_status()
        used = client.get("/rules").json()["scenarios"][0]
    assert shown["file"] == str(rules)
    assert shown["sha256"] == hashlib.sha256(rules.read_bytes()).hexdigest()
    assert shown["engine"]["queue_depth"] == 10_000
    assert shown["scenarios"] == [
        {
            "id": "greet",
            "description": "Greets whoever logs in",
            "enabled": True,
            "event_types": ["login", "logon"],
            "actions": [{"id": "hello", "type": "reward_points"}, {"id": "mark", "type": "add_tags"}],
            "matched": 0,
            "sources": ["web"],
        }
    ]
    assert (used["matched"], used["last_failure"]["id"]) == (1, "mark")


def test_a_reload_on_demand(tmp_path: Path, rules: Path) -> None:
    """Whoever asks for it has the file read at once; a faulty one is refused with all faults and changes nothing."""
    with LocalService(tmp_path, "--rules=rules.yml") as service, clients(service) as client:
        rules.write_text(RULES.replace("id: greet", "id: welcome"))
        assert [one["id"] for one in client.post("/rules/reload").json()["scenarios"]] == ["welcome"]
        rules.write_text(FAULTY)
        refused = client.post("/rules/reload")
        told = refused.json()
        shown = client.get("/rules").json()
        rules.write_text(RULES)
        healed = client.post("/rules/reload").json()
    assert refused.status_code == 400
    assert told["error"] == f"the rules have {len(told['faults'])} faults; the rules from before go on"
    assert all(fault.startswith("rules.yml:") for fault in told["faults"])
    assert any("event_typs" in fault for fault in told["faults"])
    assert any("'=' is not part of expressions" in fault for fault in told["faults"])
    assert ([one["id"] for one in shown["scenarios"]], shown["faults"]) == (["welcome"], told["faults"])
    assert ([one["id"] for one in healed["scenarios"]], healed.get("faults")) == (["greet"], None)


def test_a_saved_file_is_read_without_a_failed_request(tmp_path: Path, rules: Path) -> None:
    """Rules are those of the file soon after it is saved, while requests go on; a file with faults keeps the old ones.

    When it is gone, that is a fault, too.
    """
    stopped, answers = threading.Event(), list[int]()

    def ask(service: LocalService) -> None:
        with httpx.Client(base_url=service.north, timeout=60, trust_env=False) as client:
            while not stopped.is_set():
                answers.append(client.post("/v1/events", json={"type": "nothing"}).status_code)

    with LocalService(tmp_path, "--rules=rules.yml") as service, clients(service) as client:
        asking = threading.Thread(target=ask, args=(service,))
        asking.start()
        try:
            rules.write_text(RULES.replace("    event_types", "    enabled: false\n    event_types"))
            eventually(lambda: not client.get("/rules").json()["scenarios"][0]["enabled"], "it is disabled")
            rules.write_text(FAULTY)
            eventually(lambda: client.get("/rules").json().get("faults"), "there are faults")
            assert not client.get("/rules").json()["scenarios"][0]["enabled"]
            rules.unlink()
            gone = ["cannot read rules.yml: No such file or directory"]
            eventually(lambda: client.get("/rules").json()["faults"] == gone, "it is gone")
            rules.write_text(RULES)
            eventually(lambda: client.get("/rules").json()["scenarios"][0]["enabled"], "it is enabled")
        finally:
            stopped.set()
            asking.join()
    assert set(answers) == {200}
    assert any("rules not loaded; those from before go on" in line for line in service.lines)


def test_other_rules_by_the_settings(tmp_path: Path, rules: Path) -> None:
    """The option rules itself may change while the service runs: to another file, or to none."""
    config = tmp_path / "wfx.yml"
    config.write_text("rules: ''\n")
    with LocalService(tmp_path, "--config=wfx.yml") as service, clients(service) as client:
        assert client.get("/rules").status_code == client.post("/rules/reload").status_code == 404
        config.write_text(f"rules: {rules}\n")
        eventually(lambda: client.get("/rules").json().get("scenarios"), "there are rules")
        assert client.get("/rules").json()["scenarios"][0]["id"] == "greet"
        config.write_text("rules: ''\n")
        eventually(lambda: client.get("/rules").status_code == 404, "there are no rules")
        assert client.post("/events", json={"type": "login"}).status_code == 404


def test_a_start_with_faulty_rules_is_refused(tmp_path: Path) -> None:
    """A service whose rules have faults does not start, and names them all; neither does one whose file is missing."""
    rules_with(tmp_path, FAULTY)
    for name, said in (
        ("rules.yml", "rules.yml:6:5: scenarios[0]: unknown key"),
        ("nothing.yml", "cannot read nothing.yml: No such file"),
    ):
        ended = subprocess.run(
            [sys.executable, "-m", "wfx", "--client-port=0", "--mgmt-port=0", f"--rules={name}"],
            cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert ended.returncode == 1
        assert said in ended.stderr
        assert not (tmp_path / "wfx.db").exists()
