"""The examples in the help of wfxctl work."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from command_lines import all_commands
from wfxctl_stub import WORKFLOW, Reply, Seen, Stub

from wfx.commandline import help_texts
from wfx.commandline.grammar import Parsed
from wfxctl.commands import ROOT

COMMANDS = {parsed.words: parsed for parsed in all_commands(Parsed([ROOT])) if parsed.command.run}
OTHER_SHELLS = {"wfxctl completion fish", "wfxctl completion powershell", "wfxctl completion zsh"}
"""Their examples are in the languages of these shells."""
RULES = Path(__file__).parents[2] / "spec" / "rules" / "high-value-food.yml"
ENDLESS = {"wfxctl job events", "wfxctl job query", "wfxctl job summary", "wfxctl job wait"}

DOCUMENT = {
    "id": "7",
    "clientId": "dev7",
    "name": "lamp",
    "version": "2",
    "state": "ACTIVATED",
    "status": {"state": "ACTIVATED"},
    "workflow": WORKFLOW | {"states": [{"name": "ACTIVATED"}], "groups": [{"name": "CLOSED", "states": ["ACTIVATED"]}]},
    "states": [{"name": "ACTIVATED"}],
    "content": [{"id": "7", "name": "lamp", "clientId": "press-7", "sha256": "0"}] * 2,
    "source": "next = 'DONE'",
    "findings": [],
    "scripts": [{"number": "7"}],
    "equal": True,
    "run": {"value": "{}"},
    "lastResult": {"state": "ACTIVATED"},
    "counts": [],
    "position": "log-1",
    "total": 0,
}


def _answer(request: Seen) -> Reply:
    if request.path == "/jobs/events":  # one stream, to be refused when it is taken up again
        return Reply(200 if "last-event-id" not in request.headers else 403, chunks=lambda: iter([b"id: 1\n\n"]))
    if request.path == "/health":
        return Reply(body=b'{"status":"up"}')
    if request.path.startswith("/workflows/") and request.path != "/workflows/wfx.workflow.dau.direct":
        return Reply(body=json.dumps(WORKFLOW | {"name": request.path.rpartition("/")[2]}).encode())
    return Reply(body=json.dumps(["a", "b"] if request.path.endswith("/tags") else DOCUMENT).encode())


@pytest.mark.parametrize("words", sorted(set(COMMANDS) - OTHER_SHELLS))
def test_the_examples_work(stub: Stub, tmp_path: Path, words: str) -> None:
    """Every example runs as it stands, against a server that answers."""
    looks: list[Seen] = []

    def answer(request: Seen) -> Reply:
        looks.extend([request] if request.path.endswith("/jobs/summary") else [])
        return Reply(403, b"refused") if len(looks) > 5 else _answer(request)  # watching looks again and again

    stub.usual = answer
    (tmp_path / "wfxctl").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m wfxctl "$@"\n')
    (tmp_path / "wfxctl").chmod(0o755)
    (tmp_path / "lamp.yml").write_text(json.dumps(WORKFLOW))
    (tmp_path / "workflows").mkdir()
    (tmp_path / "workflows" / "kanban.yml").write_text(json.dumps(WORKFLOW | {"name": "kanban"}))
    (tmp_path / ".config" / "wfx").mkdir(parents=True)
    (tmp_path / ".config" / "wfx" / "contexts.yml").write_text(
        "contexts: {}" if words == "wfxctl context add" else "contexts: {plant: {}, lab: {}, old: {}}"
    )
    (tmp_path / "definition.json").write_text("{}")
    if words.startswith("wfxctl rule "):
        (tmp_path / "lamp.yml").unlink()
        (tmp_path / "rules.yml").write_bytes(RULES.read_bytes())
        (tmp_path / "event.json").write_text('{"type": "transaction"}')
    for name in ("decide.js", "payload.json", "facts.json") if words.startswith("wfxctl script ") else ():
        (tmp_path / name).write_text("{}")
    (tmp_path / ".local/share/bash-completion/completions").mkdir(parents=True)
    port = str(stub.port)
    env = {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "HOME": str(tmp_path),
        "WFX_CLIENT_PORT": port,
        "WFX_MGMT_PORT": port,
    }
    for example in help_texts.example_lines(COMMANDS[words].command.examples).split("\n\n"):
        shell = ["bash", "-euo", "pipefail", "-c", example]
        outcome = subprocess.run(shell, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60, check=False)
        ended_by_server = words in ENDLESS and outcome.returncode == 1 and re.search("refused|ended", outcome.stderr)
        no_complaints = "grep ERROR" in example and outcome.returncode == 1 and outcome.stderr == ""
        assert outcome.returncode == 0 or ended_by_server or no_complaints, (example, outcome)
