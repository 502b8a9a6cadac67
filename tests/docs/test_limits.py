"""The guide to limits shows what happens: its files are read, and its first one is tried."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from command_lines import Run, runner

from wfx.cli import PROGRAM
from wfx.demo.local import LocalService

GUIDE = (Path(__file__).parents[2] / "docs" / "limits.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```yaml\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)
SAID = {
    "# wfx.yml: at most": {"instance-start": ["20/PT1M", "200/PT1H", "client=5/PT1H"]},
    "# recipe: wild": {"instance-start": ["200/PT1H", "client=3/P1D"]},
    "# recipe: campaign": {"activity-start": ["workflow=30/PT1M"]},
    "# recipe: restarts": {"activity-start": ["client=10/PT1H"]},
    "# recipe: webhooks": {"job-execute": ["10/PT1M"]},
    "# recipe: quiet": {"job-execute": ["client=2/PT1H"]},
}

OTHERS = {
    "sandbox-max-allowed-repetitions", "sandbox-max-command-duration",
    "sandbox-rate-limit-type", "redis-host", "redis-tls",
}  # fmt: skip


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command line of wfx in this process, in an empty directory."""
    monkeypatch.chdir(tmp_path)
    return runner(PROGRAM, tmp_path / "home")


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.splitlines()[0])
def test_files_of_the_guide(run: Run, block: str) -> None:
    """Each file of the guide reads, and its limits are those that the text says."""
    Path("wfx.yml").write_text(block)
    outcome = run("config", "--output=json", "--config=wfx.yml")
    assert outcome.err == ""
    options = json.loads(outcome.out)["options"]
    given = {name for name, option in options.items() if option["setBy"]["kind"] == "file"}
    assert given
    for beginning, limits in SAID.items():
        if block.startswith(beginning):
            assert {kind: options[f"sandbox-rate-limit-{kind}"]["value"] for kind in limits} == limits
            break
    else:
        assert given <= OTHERS


def test_the_answer_of_the_guide(tmp_path: Path) -> None:
    """With the first file of the guide the sixth job of a device in an hour is refused, in the form that is shown."""
    (tmp_path / "limits.yml").write_text(BLOCKS[0])
    shown = re.search(r"^```http\nHTTP/1.1 429[^{]*(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)
    assert shown is not None
    (error,) = json.loads(shown[1])["errors"]
    workflow: Any = {"name": "w", "states": [{"name": "A"}, {"name": "B"}], "transitions": [
        {"from": "A", "to": "B", "eligible": "CLIENT"}
    ]}  # fmt: skip
    with LocalService(tmp_path, f"--config={tmp_path}/limits.yml") as service:
        url = f"http://127.0.0.1:{service.ports['north']}/api/wfx/v1"
        assert httpx.post(f"{url}/workflows", json=workflow).status_code == 201
        answers = [httpx.post(f"{url}/jobs", json={"clientId": "d", "workflow": "w"}) for _ in range(6)]
        assert [each.status_code for each in answers] == [201] * 5 + [429]
        (refusal,) = answers[-1].json()["errors"]
        assert (refusal["code"], refusal["logref"]) == (error["code"], error["logref"])
        seconds = int(answers[-1].headers["retry-after"])
        assert 0 < seconds <= 720
        assert refusal["message"] == f"the limit instance-start (client) is used up; try again in {seconds} s"


def test_recipes_are_yaml() -> None:
    """Nothing that the guide shows as a file is something else; three files are not about buckets."""
    assert len(BLOCKS) == len(SAID) + 3
    assert all(isinstance(yaml.safe_load(block), dict) for block in BLOCKS)
