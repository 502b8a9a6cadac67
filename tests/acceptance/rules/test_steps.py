"""Steps of installed packages: the one that the guide explains, and those that do wrong, at work in a service."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.acceptance.rules import installed_package
from tests.reactions.ruled_service import rules_with
from tests.reactions.test_scripts_at_work import BASE, FLOW
from tests.waiting import eventually
from wfx.demo.local import LocalService

WRONG = '''
import sys
import time

class Wrong:
    """Does what its payload says."""
    name = "wrong"
    def run(self, given, facts):
        match given.payload["do"]:
            case "raise": raise ValueError("no grade")
            case "exit": sys.exit(3)
            case "stop": raise StopIteration
            case "text": return "DONE"
            case "object": return {"payload": object()}
            case "deep":
                value = []
                for _ in range(100000): value = [value]
                return {"payload": {"a": value}}
            case "large": return {"payload": {"a": "x" * 2000000}}
            case "state": return {"next": "BAD"}
            case "next": return {"next": 7}

class Away(Wrong):
    name = "away"
    def collect(self, given):
        raise OSError("the register is away")
'''
SAID = {
    "raise": "the step wrong failed: ValueError: no grade",
    "exit": "the step wrong failed: SystemExit: 3",
    "stop": "the step wrong failed: StopIteration",
    "text": "the step wrong failed: it returned str, and not a mapping",
    "object": "the step wrong failed: it returned what is no JSON",
    "deep": "the step wrong failed: it returned what is no JSON",
    "large": "the step wrong failed: it returned more than 1,048,576 bytes",
    "state": "WFX may not move the job from NEW to BAD",
    "next": "the step wrong failed: it returned a next state that is no text",
}


block = partial(installed_package.block, "Steps of your own")


def install(folder: Path, name: str, module: str = "", *points: str) -> Path:
    """Install a package, that of the guide unless another is given."""
    project = block("toml").replace('"acme-steps"', f'"{name}"')
    if points:
        project = project.replace('grade = "acme_steps:Grade"', "\n".join(points))
    module_name = name.replace("-", "_")
    project = project.replace("acme_steps", module_name)
    files = {"pyproject.toml": project, f"{module_name}.py": module or block("python")}
    return installed_package.install(folder, name, files)


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The package of the guide and one that does wrong, as they are installed."""
    folder = tmp_path_factory.mktemp("packages")
    wrong = install(folder, "wrong-steps", WRONG, 'wrong = "wrong_steps:Wrong"', 'away = "wrong_steps:Away"')
    return f"{install(folder, 'acme-steps')}:{wrong}"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, packages: str) -> Iterator[LocalService]:
    """A service with the rule of the guide, and one for each other step."""
    folder = tmp_path_factory.mktemp("steps")
    with closing(sqlite3.connect(folder / "register.db")) as register, register:
        register.execute("CREATE TABLE device (id TEXT, tier TEXT)")
        register.execute("INSERT INTO device VALUES ('d', 'test')")
    others = "".join(
        f"""  - id: {name}
    event_types: [{name}]
    children:
      - action: {{id: do_{name}, type: run_step, params: {{step: {step}}}}}
"""
        for name, step in (("wrong", "wrong"), ("away", "away"), ("told", '"${payload.step}"'))
    )
    text = block("yaml") + others
    environment = {"PYTHONPATH": packages, "ACME_REGISTER": str(folder / "register.db")}
    with LocalService(folder, f"--rules={rules_with(folder, text)}", environment=environment) as service:
        httpx.post(f"{service.north}{BASE}/workflows", json=FLOW, trust_env=False).raise_for_status()
        yield service


def call(service: LocalService, method: str, path: str, side: str = "north", **options: Any) -> Any:
    """Send a request; return the decoded answer."""
    url = f"{getattr(service, side)}{'' if path.startswith('/v1/') else BASE}{path}"
    return httpx.request(method, url, timeout=60, trust_env=False, **options).raise_for_status().json()


def new_job(service: LocalService, state: str) -> str:
    """Create a job whose device is in a state; returns its id."""
    job_id: str = call(service, "POST", "/jobs", json={"clientId": "d", "workflow": "validated"})["id"]
    call(service, "PUT", f"/jobs/{job_id}/status", "south", json={"state": state})
    return job_id


def last_task(service: LocalService) -> Any:
    """Return the task that was promised last."""
    return call(service, "GET", "/v1/tasks", params={"kind": "run_step", "sort": "desc", "limit": 1})["content"][0]


def told(service: LocalService, kind: str, **payload: Any) -> Any:
    """Tell of an event, wait until its task was tried, and return that."""
    before = call(service, "GET", "/v1/tasks", params={"sort": "desc", "limit": 1})["content"]
    call(service, "POST", "/v1/events", json={"type": kind, "payload": payload})
    known = before[0]["id"] if before else 0
    eventually(lambda: last_task(service)["id"] > known and last_task(service)["attempts"] > 0, "it was tried")
    return last_task(service)


def test_the_step_of_the_guide(running: LocalService) -> None:
    """A step of a package reads a register, moves the job as WFX with what it decides, and has a tag added."""
    job_id = new_job(running, "VALIDATE")
    eventually(lambda: call(running, "GET", f"/jobs/{job_id}")["status"]["state"] == "DONE", "it is moved")
    job = call(running, "GET", f"/jobs/{job_id}")
    assert (job["status"]["context"], job["tags"]) == ({"grade": "good", "errors": 0}, ["test"])
    eventually(lambda: last_task(running)["state"] == "DONE", "the task is done")
    assert last_task(running)["message"] == "moved the job to DONE; 1 of 1 actions"


def test_steps_are_listed(running: LocalService) -> None:
    """`GET /v1/rules` names the steps that there are, with their packages and what these say."""
    assert call(running, "GET", "/v1/rules")["steps"] == [
        {"name": "away", "package": "wrong-steps", "summary": ""},
        {"name": "grade", "package": "acme-steps", "summary": "Grades a report by the tier of its device"},
        {"name": "wrong", "package": "wrong-steps", "summary": ""},
    ]


@pytest.mark.parametrize("wrong", SAID)
def test_what_a_step_does_wrong(running: LocalService, wrong: str) -> None:
    """A step that raises, ends the program or returns what it may not has its task fail, once; the service goes on."""
    job_id = call(running, "POST", "/jobs", json={"clientId": "d", "workflow": "validated"})["id"]
    task = told(running, "wrong", do=wrong, job_id=job_id, to="NEW")
    assert (task["state"], task["attempts"]) == ("FAILED", 1)
    assert task["message"].startswith(SAID[wrong])
    assert call(running, "GET", f"/jobs/{job_id}")["status"]["state"] == "NEW"
    assert call(running, "GET", "/health")["status"] == "up"


def test_facts_that_cannot_be_collected(running: LocalService) -> None:
    """A step that cannot read what it needs is tried again later, and says why."""
    task = told(running, "away")
    assert (task["state"], task["attempts"]) == ("WAITING", 1)
    assert task["message"] == "the step away cannot collect its facts: OSError: the register is away"


def test_a_step_that_is_not_there(running: LocalService) -> None:
    """A step that an event names and nobody has installed is a failure of its action, which says so, and no task."""
    tasks = partial(call, running, "GET", "/v1/tasks", params={"kind": "run_step", "limit": 1000})
    before = tasks()
    answer = call(running, "POST", "/v1/events", json={"type": "told", "payload": {"step": "nobody"}})
    (result,) = answer["actions_executed"]
    assert (result["success"], result["message"]) == (False, 'step: there is no step "nobody"')
    assert tasks() == before


def test_rules_with_an_unknown_step(running: LocalService) -> None:
    """Rules that name a step which nobody has installed are not loaded; each fault has its place, and a suggestion."""
    file = Path(call(running, "GET", "/v1/rules")["file"])
    sound = file.read_text()
    file.write_text(sound.replace("{step: wrong}", "{step: worng}").replace("{step: away}", "{step: nothing}"))
    try:
        answer = httpx.post(f"{running.north}/v1/rules/reload", timeout=60, trust_env=False)
        assert answer.status_code == 400
        faults = call(running, "GET", "/v1/rules")["faults"]
        assert [fault.split(": ", 1)[1] for fault in faults] == [
            'scenarios[1].children[0].action.params.step: there is no step "worng" (did you mean wrong?)',
            'scenarios[2].children[0].action.params.step: there is no step "nothing"',
        ]
        assert len(call(running, "GET", "/v1/rules")["scenarios"]) == 4
    finally:
        file.write_text(sound)


@pytest.mark.parametrize(("module", "point", "said"), [
    ("", "", "there are two steps grade, of "),
    (WRONG, 'none = "other_steps:Nothing"', "the step none of other_steps:Nothing cannot be used: AttributeError"),
    (WRONG, 'odd = "other_steps:Wrong"', "the step odd of other_steps:Wrong cannot be used: it needs name"),
    ("import sys; sys.exit(4)", 'odd = "other_steps:Odd"', "the step odd of other_steps:Odd cannot be used: SystemE"),
])  # fmt: skip
def test_steps_that_end_the_start(tmp_path: Path, packages: str, module: str, point: str, said: str) -> None:
    """The service does not start where two packages have a step of one name, or one that cannot be used."""
    (tmp_path / "rules.yml").write_text(block("yaml"))
    other = install(tmp_path, "other-steps", module, *([point] if point else []))
    ended = subprocess.run(
        [sys.executable, "-m", "wfx", "--client-port=0", "--mgmt-port=0", "--rules=rules.yml"],
        env=os.environ | {"PYTHONPATH": f"{packages}:{other}"}, cwd=tmp_path,
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert ended.returncode == 1
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr
