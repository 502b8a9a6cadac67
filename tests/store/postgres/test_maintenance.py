"""What the tools of maintenance say of PostgreSQL."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize("command", [["check"], ["backup", "copy.db"]])
def test_tools_say_that_they_do_not_know_postgresql(option: str, tmp_path: Path, command: list[str]) -> None:
    """`wfx check` and `wfx backup` refuse a PostgreSQL database, say why, and what does it instead."""
    words = [sys.executable, "-m", "wfx", *command, "--storage=postgres", f"--storage-opt={option}"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode != 0
    assert f"wfx {command[0]} does not know PostgreSQL yet" in done.stderr
    assert "pg_" in done.stderr
    assert "s3cret" not in done.stdout + done.stderr
    assert not (tmp_path / "copy.db").exists()
