"""Help texts and manual pages: complete, and their examples work."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from wfxctl_stub import WORKFLOW, Reply, Seen, Stub

from wfx.commandline import manual
from wfx.commandline.grammar import Parsed
from wfxctl.commands import ROOT

Run = Callable[..., Any]


def all_commands(parsed: Parsed) -> Iterator[Parsed]:
    """Yield every command that is shown."""
    yield parsed
    for child in parsed.command.children:
        if not child.hidden:
            yield from all_commands(Parsed([*parsed.path, child]))


COMMANDS = {parsed.words: parsed for parsed in all_commands(Parsed([ROOT]))}
RUNNABLE = [words for words, parsed in COMMANDS.items() if parsed.command.run]
OTHER_SHELLS = {"wfxctl completion fish", "wfxctl completion powershell", "wfxctl completion zsh"}
"""Their examples are in the languages of these shells."""
ENDLESS = {"wfxctl job events", "wfxctl job query", "wfxctl job wait"}


@pytest.mark.parametrize("words", COMMANDS)
def test_help_says_all_there_is(run: Run, words: str) -> None:
    """Help names the usage, the commands, and every flag with what it is for, in lines that fit a screen."""
    outcome = run(*words.split()[1:], "--help")
    parsed = COMMANDS[words]
    assert (outcome.code, outcome.err) == (0, "")
    assert f"Usage:\n  {words}" in outcome.out
    for option in parsed.options():
        assert re.search(rf"^ +(-. *,)? *(-\w, )?--{option.name}\b", outcome.out, re.MULTILINE), option.name
    for child in parsed.command.children:
        assert (f"\n  {child.name} " in outcome.out) == (not child.hidden)
    assert all(len(line) <= 120 for line in outcome.out.splitlines())


@pytest.mark.parametrize("words", RUNNABLE)
def test_each_command_has_examples(words: str) -> None:
    """Each command shows two examples or more, each with a comment above."""
    examples = manual.example_lines(COMMANDS[words].command.examples).split("\n\n")
    assert len(examples) >= 2
    assert all(example.startswith("# ") and words in example for example in examples)


DOCUMENT = {
    "id": "7", "name": "lamp", "version": "2", "state": "ACTIVATED", "status": {"state": "ACTIVATED"},
    "workflow": WORKFLOW | {"states": [{"name": "ACTIVATED"}], "groups": [{"name": "CLOSED", "states": ["ACTIVATED"]}]},
    "states": [{"name": "ACTIVATED"}], "content": [{"id": "7", "name": "lamp"}],
}


def _answer(request: Seen) -> Reply:
    if request.path == "/jobs/events":  # one stream, to be refused when it is taken up again
        return Reply(200 if "last-event-id" not in request.headers else 403, chunks=lambda: iter([b"id: 1\n\n"]))
    if request.path == "/health":
        return Reply(body=b'{"status":"up"}')
    return Reply(body=json.dumps(["a", "b"] if request.path.endswith("/tags") else DOCUMENT).encode())


@pytest.mark.parametrize("words", sorted(set(RUNNABLE) - OTHER_SHELLS))
def test_the_examples_work(stub: Stub, tmp_path: Path, words: str) -> None:
    """Every example runs as it stands, against a server that answers."""
    stub.usual = _answer
    (tmp_path / "wfxctl").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m wfxctl "$@"\n')
    (tmp_path / "wfxctl").chmod(0o755)
    (tmp_path / "lamp.yml").write_text(json.dumps(WORKFLOW))
    (tmp_path / "definition.json").write_text("{}")
    (tmp_path / ".local/share/bash-completion/completions").mkdir(parents=True)
    port = str(stub.port)
    env = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHONPATH": str(Path(__file__).parents[2]),
           "HOME": str(tmp_path), "WFX_CLIENT_PORT": port, "WFX_MGMT_PORT": port}
    for example in manual.example_lines(COMMANDS[words].command.examples).split("\n\n"):
        shell = ["bash", "-euo", "pipefail", "-c", example]
        outcome = subprocess.run(shell, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60, check=False)
        ended_by_server = words in ENDLESS and outcome.returncode == 1 and re.search("refused|ended", outcome.stderr)
        no_complaints = "grep ERROR" in example and outcome.returncode == 1 and outcome.stderr == ""
        assert outcome.returncode == 0 or ended_by_server or no_complaints, (example, outcome)


def test_manual_pages_for_all_commands(run: Run, tmp_path: Path) -> None:
    """There is a page for each command, which groff reads without complaint and which dates to the month."""
    assert run("man", "--dir", "deep/er", env={"SOURCE_DATE_EPOCH": "1767225600"}).code == 0
    pages = {page.name: page.read_text() for page in (tmp_path / "deep" / "er").iterdir()}
    assert set(pages) == {f"{words.replace(' ', '-')}.1" for words in COMMANDS if words != "wfxctl help"}
    assert pages["wfxctl-job-create.1"].startswith('.TH "WFXCTL-JOB-CREATE" "1" "Jan 2026" "wfx" "wfx manual"\n')
    assert (tmp_path / "deep").stat().st_mode & 0o777 == 0o777 & ~_umask()
    for name, page in pages.items():
        read = subprocess.run(["groff", "-man", "-Tutf8", "-ww"], input=page.encode(), capture_output=True, timeout=60,
                              check=True)
        assert read.stderr == b"", name


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_a_manual_page_reads_like_the_help(run: Run, tmp_path: Path) -> None:
    """A page shows flags, defaults and examples literally, also where they begin with a dot or hold backslashes."""
    run("man")
    page = (tmp_path / "man" / "wfxctl-job-get-status.1").read_bytes()
    shown = subprocess.run(["groff", "-man", "-Tascii", "-P-cbou"], input=page, capture_output=True, timeout=60,
                           check=True).stdout.decode()
    assert "--id=string" in shown
    assert """--filter '"\\(.state) \\(.progress // 0)%"' --raw""" in " ".join(shown.split())
    assert "wfxctl-job(1)" in shown


def test_manual_pages_need_a_place(run: Run, tmp_path: Path) -> None:
    """A directory that cannot be is an error."""
    (tmp_path / "file").touch()
    outcome = run("man", "--dir", "file/x")
    assert outcome.code == 1
    assert outcome.err == "Error: cannot write manual pages to file/x: Not a directory\n"
