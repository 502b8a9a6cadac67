"""What the guide to installation shows is what there is."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.installation.guides import blocks, commands

ROOT = Path(__file__).parents[2]
TRIED = ("make ", "apt-get ", "systemctl ", "wfxctl ", "curl ", "install -D", "python3 -m venv", "./installed/bin/")
"""How commands begin that the tests beside this one run."""
UNTRIED = {"podman run": "tests have no base image to run; test_container.py runs the steps and the entry point"}


def test_make_targets() -> None:
    """Each target that the guide names is there."""
    for make in commands("make "):
        dry = subprocess.run([make[0], "-n", *make[1:]], cwd=ROOT, capture_output=True, text=True, check=False)
        assert dry.returncode == 0, dry.stderr


def test_clean() -> None:
    """``make clean`` removes what the targets of the guide have built."""
    dry = subprocess.run(["make", "-n", "clean"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "dist" in dry.stdout.split()


def test_commands_are_tried() -> None:
    """Each command of the guide is of a kind that is tried, or it is said why not."""
    lines = [line.removeprefix("sudo ") for block in blocks("installation.md", "sh") for line in block.splitlines()]
    assert [line for line in lines if not line.startswith((*TRIED, *UNTRIED))] == []
