"""What the tools of maintenance say of a PostgreSQL database that has nothing for them."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_lines import runner

from wfx.cli import PROGRAM


@pytest.fixture
def tables() -> bool:
    """Each test begins without tables."""
    return False


@pytest.mark.parametrize("command", [["check"], ["backup", "copy.jsonl"], ["export", "copy.jsonl"]])
def test_tools_refuse_an_empty_database(
    option: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    """`wfx check`, `wfx backup` and `wfx export` refuse a database without tables, name it, and hide the password."""
    monkeypatch.chdir(tmp_path)
    done = runner(PROGRAM, tmp_path)(*command, "--storage=postgres", f"--storage-opt={option}")
    assert done.code == 1
    assert "has no data of wfx" in done.err
    assert done.err.count("\n") == 1
    assert "s3cret" not in done.out + done.err
    assert not (tmp_path / "copy.jsonl").exists()
