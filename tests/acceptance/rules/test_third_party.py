"""A type of actions of a package of its own, the one that the guide explains, at work in a service."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from tests.acceptance.rules import installed_package
from tests.acceptance.rules.serving import ON_EACH_STORE, SECRET, ruled, webhook_options
from tests.tasks.receiving import receiver

ON_THE_LOG = """  - id: on_the_log
    event_types: [job.create]
    children:
      - action: {id: too_long, type: open_ticket, params: {title: "${payload.client}"}}
      - action: {id: broken, type: open_ticket, params: {title: "${payload.from}"}}
      - action: {id: tag, type: add_tags, params: {tags: [seen]}}
"""


block = partial(installed_package.block, "Actions of your own")


def install(folder: Path, name: str) -> Path:
    """Install the package of the guide under a name."""
    project = block("toml").replace('"acme-actions"', f'"{name}"')
    return installed_package.install(folder, name, {"pyproject.toml": project, "acme_actions.py": block("python")})


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package of the guide, as it is installed."""
    return install(tmp_path_factory.mktemp("package"), "acme-actions")


@ON_EACH_STORE
async def test_the_action_of_the_guide(
    request: pytest.FixtureRequest, storage: str, tmp_path: Path, package: Path
) -> None:
    """It is carried out as a webhook; what its plan raises fails it alone, on events from outside and on the log."""
    async with receiver() as hook:
        environment = {"PYTHONPATH": str(package), "ACME_TICKETS": hook.url}
        options, rules = webhook_options(tmp_path), block("yaml") + ON_THE_LOG
        async with ruled(request, storage, tmp_path, rules, *options, **environment) as service:
            told = [
                (await service.tell(type="alarm", actor_id="press-7", payload={"text": text})).json()
                for text in ("hot", "x" * 81, 7)
            ]
            (task,) = await service.tasks_in("DONE", 1)
            points = (await service.get("/v1/scores/press-7"))["points"]
            await service.store_workflow()
            await service.create("c" * 81)
            await service.soon(service.jobs, lambda jobs: jobs[0]["tags"] == ["seen"])
            rule = (await service.get("/v1/rules"))["scenarios"][1]
            metrics = (await service.client.get("/metrics")).text
    ticket = {"title": "hot", "severity": "high", "device": "press-7"}
    assert hook.verify(SECRET) == [ticket]
    assert (task["rule"], task["action"]) == ("tickets", "ticket")
    results = [each["actions_executed"] for each in told]
    assert [[action["success"] for action in each] for each in results] == [[True, True], [False, True], [False, True]]
    assert [each[0]["type"] for each in results] == ["open_ticket"] * 3
    assert results[1][0]["message"] == "the title of a ticket has at most 80 characters"
    assert results[2][0]["message"].startswith("open_ticket cannot plan it: TypeError: ")
    assert points == 3
    assert rule["last_failure"]["id"] == "broken"
    assert "wfx_rules_fatal_errors_total 0.0" in metrics
    failed = [each for each in service.records(rule="on_the_log") if each["level"] == "warn"]
    assert [each["action"] for each in failed] == ["too_long", "broken"]


def test_a_name_that_is_taken(tmp_path: Path, package: Path) -> None:
    """Where two packages have a type of one name neither the service nor wfxctl take rules, and both say why."""
    (tmp_path / "rules.yml").write_text(block("yaml"))
    environment = os.environ | {"PYTHONPATH": f"{package}:{install(tmp_path, 'other-actions')}"}
    for words in (
        ["wfx", "--client-port=0", "--mgmt-port=0", "--rules=rules.yml"],
        ["wfxctl", "rule", "validate", "rules.yml"],
    ):
        ended = subprocess.run(
            [sys.executable, "-m", *words], env=environment, cwd=tmp_path,
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert ended.returncode == 1
        assert "there are two types of actions open_ticket, of acme-actions and of other-actions" in ended.stderr
        assert "Traceback" not in ended.stderr


def test_parameters_are_checked(tmp_path: Path, package: Path) -> None:
    """What the type finds wrong is a fault of the rule file, at its place."""
    (tmp_path / "rules.yml").write_text(block("yaml").replace("severity: high", "severity: odd"))
    ended = subprocess.run(
        [sys.executable, "-m", "wfxctl", "rule", "validate", "rules.yml"], cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(package)}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert ended.returncode == 1
    assert ended.stdout.startswith("ERROR: rules.yml:6:")
    assert ended.stdout.endswith(": scenarios[0].children[0].action.params.severity: the severity is low or high\n")
