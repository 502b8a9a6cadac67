"""The guide's examples, run as they stand against a real service."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from wfx.demo.local import LocalService

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "wfxctl.md"
MARK = "=== next ==="


def steps(guide: str) -> list[tuple[str, str]]:
    """Return the commands of all console blocks, each with the output that the guide shows below it."""
    blocks = re.findall(r"^```console\n(.*?)^```$", guide, re.MULTILINE | re.DOTALL)
    parts = [part.partition("\n") for block in blocks for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]]
    return [(command, shown) for command, _, shown in parts]


@pytest.mark.timeout(300)  # some thirty programs are started, one after the other
def test_the_guide_can_be_followed(tmp_path: Path) -> None:
    """All commands of the guide succeed, in order, against a fresh service, and print what the guide shows."""
    (tmp_path / "wfxctl").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m wfxctl "$@"\n')
    (tmp_path / "wfxctl").chmod(0o755)
    (tmp_path / "spec").symlink_to(ROOT / "spec")
    (tmp_path / "service").mkdir()
    expected = steps(GUIDE.read_text())
    script = "".join(f"{command}\necho '{MARK}'\n" for command, _ in expected)
    with LocalService(tmp_path / "service") as service:
        env = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT), "HOME": str(tmp_path),
               "WFX_CLIENT_HOST": "127.0.0.1", "WFX_CLIENT_PORT": service.south.rpartition(":")[2],
               "WFX_MGMT_HOST": "127.0.0.1", "WFX_MGMT_PORT": service.north.rpartition(":")[2]}
        outcome = subprocess.run(["bash", "-euo", "pipefail", "-c", script], cwd=tmp_path, env=env, capture_output=True,
                                 text=True, timeout=280, check=False)
    assert outcome.returncode == 0, outcome
    printed = outcome.stdout.split(MARK + "\n")
    assert len(expected) > 20
    for (command, shown), output in zip(expected, printed, strict=False):
        assert shown in {"", output}, command
    assert (tmp_path / "man" / "wfxctl.1").exists()
