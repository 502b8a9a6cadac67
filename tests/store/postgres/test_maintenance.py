"""What the tools of maintenance say of a PostgreSQL database that has nothing for them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture
def tables() -> bool:
    """Each test begins without tables."""
    return False


@pytest.mark.parametrize("command", [["check"], ["backup", "copy.jsonl"], ["export", "copy.jsonl"]])
def test_tools_refuse_an_empty_database(option: str, tmp_path: Path, command: list[str]) -> None:
    """`wfx check`, `wfx backup` and `wfx export` refuse a database without tables, name it, and hide the password."""
    words = [sys.executable, "-m", "wfx", *command, "--storage=postgres", f"--storage-opt={option}"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1
    assert "has no data of wfx" in done.stderr
    assert done.stderr.count("\n") == 1
    assert "s3cret" not in done.stdout + done.stderr
    assert not (tmp_path / "copy.jsonl").exists()
