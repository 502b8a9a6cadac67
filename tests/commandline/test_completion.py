"""What the shell offers (cli section 1)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from command_lines import Run

from wfx.commandline import completion_candidates
from wfxctl.commands import ROOT

OFFERED = [
    (["jo"], ["job"], ":4"),
    (["job", "get"], ["get", "get-definition", "get-status", "get-tags"], ":4"),
    (["job", "query", "-o", "w"], ["wide"], ":4"),
    (["job", "--client-port", "1", "q"], ["query"], ":4"),
    (["job", "query", "--so"], ["--sort", "--sort-by"], ":4"),
    (["job", "query", "--sort", ""], ["asc", "desc"], ":4"),
    (["job", "query", "--sort=d"], ["--sort=desc"], ":4"),
    (["job", "query", "--nonsense="], [], ":1"),
    (["job", "query", "--nonsense", ""], [], ":1"),
    (["job", "get", "--history", ""], [], ":4"),
    (["job", "get", "--id", ""], [], ":4"),
    (["job", "update-status", "--actor", ""], ["CLIENT", "WFX"], ":4"),
    (["job", "foo", ""], [], ":4"),
    (["--log-level", "w"], ["warn"], ":4"),
    (["help", "job", "add"], ["add-tags"], ":4"),
    (["workflow", "create", ""], ["yaml", "yml", "json"], ":8"),
    (["workflow", "validate", "x"], ["yaml", "yml"], ":8"),
    (["job", "create", "--", "--x"], ["json"], ":8"),
    (["--config", ""], ["yml", "yaml"], ":8"),
    (["man", "--dir", ""], [], ":16"),
    (["--tls-ca", ""], [], ":0"),
    (["__com"], [], ":4"),
    (["completion", "ba"], ["bash"], ":4"),
]


@pytest.mark.parametrize(("words", "offered", "directive"), OFFERED)
def test_words_are_offered(run: Run, words: list[str], offered: list[str], directive: str) -> None:
    """The hidden command prints what fits, one a line, and then what to do with it."""
    outcome = run("__complete", *words)
    assert outcome.code == 0
    *lines, last = outcome.out.splitlines()
    assert ([line.split("\t")[0] for line in lines], last) == (offered, directive)
    assert outcome.err.startswith("Completion ended with directive: ShellCompDirective")
    plain = run("__completeNoDesc", *words)
    assert plain.out.splitlines() == [*offered, directive]


def test_descriptions_follow_a_tab(run: Run) -> None:
    """Commands and flags come with what they are for."""
    assert "query\tList jobs\n" in run("__complete", "job", "").out
    assert "--history\tinclude earlier statuses, newest first\n" in run("__complete", "job", "get", "--hi").out


def test_nothing_at_all_is_completed_too() -> None:
    """Without any word, all commands are offered."""
    assert completion_candidates.complete(ROOT, []) == completion_candidates.complete(ROOT, [""])


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_there_is_a_script_for_each_shell(run: Run, shell: str) -> None:
    """The script of each shell calls the hidden command, with descriptions or without."""
    script = run("completion", shell)
    assert script.code == 0
    assert " __complete " in script.out
    plain = run("completion", shell, "--no-descriptions")
    assert " __completeNoDesc " in plain.out
    assert plain.out.replace("__completeNoDesc", "__complete") == script.out


BASH = [
    (["job", "qu"], ["query"]),
    (["job", "query", "--sort", "="], ["asc", "desc"]),
    (["job", "query", "--sort", "=", "d"], ["desc"]),
    (["job", "query", "--client-id=x", "--output", "=", "ta"], ["table"]),
    (["workflow", "create", ""], ["folder", "a.yml", "c.json"]),
    (["workflow", "validate", ""], ["folder", "a.yml"]),
    (["man", "--dir", "f"], ["folder"]),
    (["job", "get", "--unknown", "x", ""], []),
]


@pytest.mark.parametrize(("words", "replies"), BASH)
def test_the_script_works_in_bash(run: Run, tmp_path: Path, words: list[str], replies: list[str]) -> None:
    """bash, which takes words apart at equals signs, gets the replies that it can insert."""
    (tmp_path / "script").write_text(run("completion", "bash").out)
    (tmp_path / "folder").mkdir()
    for name in ("a.yml", "c.json", "d.txt"):
        (tmp_path / name).touch()
    (tmp_path / "wfxctl").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m wfxctl "$@"\n')
    (tmp_path / "wfxctl").chmod(0o755)
    program = """
    source ./script
    compopt() { :; }  # works only while bash itself completes
    COMP_WORDS=(wfxctl "$@") COMP_CWORD=$# COMP_TYPE=9
    _wfxctl
    ((${#COMPREPLY[@]})) && printf '%s\\n' "${COMPREPLY[@]}"
    """
    env = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHONPATH": str(Path(__file__).parents[2])}
    outcome = subprocess.run(
        ["bash", "-c", program, "bash", *words],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert outcome.stdout.splitlines() == replies
    assert outcome.stderr == ""
