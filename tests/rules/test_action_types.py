"""Types of actions: our table, and what other packages add."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import cast

import pytest
from rules.rulebook import evaluated, file_with, planned

from wfx.expressions.expression import Compiler
from wfx.expressions.library import own_functions
from wfx.rules.faults import RulesInvalid
from wfx.rules.graph import Graph
from wfx.rules.own_actions import OWN, all_actions
from wfx.rules.rule_file import load
from wfx.rules.step_types import NO_STEPS, InstalledStep, Step

LAMP = """
import sys
from wfx.rules.action_types import ParameterFault, Plan

class Lamp:
    type = "lamp"
    acts_as = "add_tags"
    def validate(self, parameters):
        if "color" not in parameters:
            yield "color is missing"
        elif parameters["color"] == "black":
            yield ParameterFault("a lamp is never black", "color")
        elif parameters["color"] == "odd":
            raise KeyError("odd")
        elif parameters["color"] == "gone":
            sys.exit(5)
        elif parameters["color"] == "clear":
            yield None
    def plan(self, parameters, event):
        if parameters["color"] == "none":
            raise KeyError("none")
        if parameters["color"] == "out":
            sys.exit(7)
        return Plan({"tags": [parameters["color"]], "job_id": "j"}, f"Lit {parameters['color']} for {event.type}")

class Double(Lamp):
    type = "mail"

class Nameless:
    type = "other"

class Idle(Lamp):
    acts_as = "set_output"

def shine(text):
    return text.title()
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Install a package with a type of actions and a function, for this process and those that it starts."""
    (tmp_path / "lamp_package.py").write_text(LAMP)
    (tmp_path / "lamp_package-1.dist-info").mkdir()
    (tmp_path / "lamp_package-1.dist-info" / "METADATA").write_text("Name: lamp-package\nVersion: 1\n")
    offer(tmp_path, "lamp = lamp_package:Lamp")
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def offer(package: Path, *points: str) -> None:
    """Let the package offer types of actions, and its function."""
    lines = ("[wfx.actions]", *points, "[wfx.functions]", "acme.shine = lamp_package:shine")
    (package / "lamp_package-1.dist-info" / "entry_points.txt").write_text("\n".join(lines) + "\n")


def lit(color: str) -> str:
    """Make a rule file with a lamp of a colour."""
    return file_with(f"{{action: {{id: a, type: lamp, params: {{color: {color}}}}}}}")


@pytest.mark.usefixtures("package")
def test_an_action_of_a_package() -> None:
    """A package adds a type of actions: it checks the parameters in the file, and plans with their values."""
    compiler, types = Compiler(own_functions()), all_actions(NO_STEPS)
    graph = load(lit("'${payload.c}'").encode(), compiler, types)
    (action,) = evaluated(graph, {"type": "t", "payload": {"c": "red"}}).actions
    assert (action.parameters, action.message) == ({"tags": ["red"], "job_id": "j"}, "Lit red for t")
    failed = {"a": "lamp cannot plan it: KeyError: 'none'"}
    assert planned(evaluated(graph, {"type": "t", "payload": {"c": "none"}})) == failed
    failed = {"a": "lamp cannot plan it: SystemExit: 7"}
    assert planned(evaluated(graph, {"type": "t", "payload": {"c": "out"}})) == failed
    for color, place, text in (
        ("black", "6:54", ".params.color: a lamp is never black"),
        ("odd", "6:46", ".params: lamp cannot check them: KeyError: 'odd'"),
        ("gone", "6:46", ".params: lamp cannot check them: SystemExit: 5"),
    ):
        with pytest.raises(RulesInvalid) as caught:
            load(lit(color).encode(), compiler, types)
        (fault,) = caught.value.faults
        assert fault.at("f") == f"f:{place}: scenarios[0].children[0].action{text}"
    with pytest.raises(RulesInvalid, match="lamp cannot check them: TypeError: "):
        load(lit("clear").encode(), compiler, types)


def test_wfxctl_knows_installed_packages(package: Path) -> None:
    """The program wfxctl checks rules with the actions and functions of the packages that are installed beside it."""
    rules = package / "rules.yml"
    rules.write_text(lit("\"${acme.shine('x')}\"".replace("'x'", '\\"red\\"')))
    ran = subprocess.run(
        [sys.executable, "-m", "wfxctl", "rule", "test", str(rules), '--event={"type": "t"}',
         "--filter=.scenarios[].actions[].message", "--raw"],
        env=os.environ | {"PYTHONPATH": f"{package}:{Path(__file__).parents[2]}"},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (ran.stdout, ran.stderr) == ("Lit Red for t\n", "")


@pytest.mark.parametrize(("point", "message"), [
    ("mail = lamp_package:Double", "there are two types of actions mail, of wfx and of lamp-package"),
    ("lamp = lamp_package:Idle", "it needs acts_as, the type that carries it out: create_job, "),
    ("lamp = lamp_package:Gone", "the action lamp of lamp_package:Gone cannot be used"),
    ("other = lamp_package:Nameless", "it needs type .the same name., validate and plan"),
    ("bulb = lamp_package:Lamp", "it needs type .the same name., validate and plan"),
])  # fmt: skip
def test_what_cannot_be_used(package: Path, point: str, message: str) -> None:
    """A package that replaces a type, or has none behind the name, is named."""
    offer(package, point)
    with pytest.raises(ValueError, match=message):
        all_actions(NO_STEPS)


def test_our_types() -> None:
    """There are the types of actions that the guide lists."""
    assert [one.type for one in OWN] == [
        "create_job", "add_tags", "delete_tags", "update_status", "update_definition", "reward_points",
        "webhook_notify", "mail", "run_script", "run_step", "set_output",
    ]  # fmt: skip


def _running(step: str, *known: str) -> Graph:
    """Load a rule that runs a step, where these are installed."""
    steps = {each: InstalledStep(cast("Step", None), "acme") for each in known}
    text = file_with(f"action: {{id: a, type: run_step, params: {{step: {step}}}}}")
    return load(text.encode(), Compiler(own_functions()), all_actions(steps))


@pytest.mark.parametrize(("known", "name", "said"), [
    ("grade weigh", "grad", 'there is no step "grad" (did you mean grade?)'),
    ("grade", "nothing", 'there is no step "nothing"'),
    ("", "grade", 'there is no step "grade": no installed package has steps'),
])  # fmt: skip
def test_steps_have_to_be_there(known: str, name: str, said: str) -> None:
    """A rule that runs a step which no package has is a fault of the file, at its place, with a name that is alike."""
    with pytest.raises(RulesInvalid) as refused:
        _running(name, *known.split())
    (fault,) = refused.value.faults
    assert fault.at("rules.yml") == f"rules.yml:6:56: scenarios[0].children[0].action.params.step: {said}"


def test_steps_that_events_name() -> None:
    """A step whose name is in the event is looked for then; without one of this name the action fails, and says so."""
    graph = _running('"${payload.step}"', "grade")
    found = [planned(evaluated(graph, {"type": "t", "payload": {"step": name}}))["a"] for name in ("grade", "grad")]
    assert found[0]["step"] == "grade"
    assert found[1] == 'step: there is no step "grad" (did you mean grade?)'
