"""Clocks that are centuries off: the service runs, or says in one line why not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import httpx

from tests.acceptance.clients import BASE, WORKFLOW
from tests.store.sqlite.audit import assert_sound
from wfx.demo.local import LocalService


def test_a_clock_beyond_all_years(tmp_path: Path) -> None:
    """Where the clock is beyond what Python can tell, in 2262, programs end with one line that says so."""
    for program in ("wfx", "wfxctl"):
        command = ["faketime", "2300-01-01 00:00:00", sys.executable, "-m", program, "--help"]
        ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
        assert ended.returncode == 1
        assert ended.stderr == "Error: the system clock is beyond the year 2262; set it, and start again\n"


def test_a_clock_before_1970(tmp_path: Path) -> None:
    """By a clock before 1970 jobs begin at the beginning of 1970, and the store stays sound."""
    shim = subprocess.run(["faketime", "1965-01-01 00:00:00", "env"], capture_output=True, text=True, check=True).stdout
    environment = dict(line.split("=", 1) for line in shim.splitlines() if line.startswith(("LD_PRELOAD=", "FAKETIME")))
    with LocalService(tmp_path, environment=environment) as service:
        httpx.post(f"{service.north}{BASE}/workflows", json=WORKFLOW).raise_for_status()
        job = {"clientId": "c", "workflow": WORKFLOW["name"]}
        created = httpx.post(f"{service.north}{BASE}/jobs", json=job).raise_for_status().json()
        assert created["stime"].startswith("1970-01-01T00:00:00")
    assert_sound(tmp_path / "wfx.db")
