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


def script(guide: str) -> str:
    """Return the commands of all console blocks, one after the other; lines without a prompt continue the one above."""
    lines = [line for block in re.findall(r"^```console\n(.*?)^```$", guide, re.MULTILINE | re.DOTALL)
             for line in block.splitlines()]
    return "\n".join(line.removeprefix("$ ") for line in lines) + "\n"


@pytest.fixture
def service(tmp_path: Path) -> LocalService:
    """Prepare a fresh service."""
    folder = tmp_path / "service"
    folder.mkdir()
    return LocalService(folder)


def test_the_guide_can_be_followed(service: LocalService, tmp_path: Path) -> None:
    """All commands of the guide succeed, in order, against a fresh service, and show what the guide says."""
    (tmp_path / "wfxctl").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m wfxctl "$@"\n')
    (tmp_path / "wfxctl").chmod(0o755)
    with service:
        env = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT), "HOME": str(tmp_path),
               "WFX_CLIENT_HOST": "127.0.0.1", "WFX_CLIENT_PORT": service.south.rpartition(":")[2],
               "WFX_MGMT_HOST": "127.0.0.1", "WFX_MGMT_PORT": service.north.rpartition(":")[2]}
        outcome = subprocess.run(["bash", "-euo", "pipefail", "-c", script(GUIDE.read_text())], cwd=tmp_path, env=env,
                                 capture_output=True, text=True, timeout=100, check=False)
    assert outcome.returncode == 0, outcome
    for expected in ("apiVersion: v1", "northbound\tup\t", "lamp : OK", '"lamp"', "OFF\nDIM\nBRIGHT\nBROKEN\n",
                     "DIM 40%\n", "\nBRIGHT\n", "it is gone"):
        assert expected in outcome.stdout
    assert (tmp_path / "man" / "wfxctl.1").exists()
