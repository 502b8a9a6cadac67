"""Settings that make no sense: one clear line, and no half-configured service."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from wfx.demo.local import LocalService

COMMAND = [sys.executable, "-m", "wfx", "--client-port=0", "--mgmt-port=0", "--client-host=127.0.0.1"]
DEEP = b"[" * 5000


def start_and_fail(folder: Path, **variables: str) -> str:
    """Start the service, which must refuse with exit code 1; returns the one line that it says, without its time."""
    environment = os.environ | {"NO_COLOR": "1", "HOME": str(folder)} | variables
    ended = subprocess.run(COMMAND, cwd=folder, env=environment, capture_output=True, timeout=30, check=False)
    assert (ended.returncode, ended.stdout) == (1, b"")
    said = ended.stderr.decode()
    assert said.count("\n") == 1, said
    assert len(said) < 600
    assert not (folder / "wfx.db").exists(), "nothing was begun"
    return said.strip()


@pytest.mark.parametrize(("content", "said"), [
    (b"events-keep: many", 'Error: invalid value "many" for configuration key events-keep: invalid syntax'),
    (b"events-keep: 1.5", "for configuration key events-keep: invalid syntax"),
    (b"events-keep: [8080]", "Error: configuration key events-keep must have one value, not a list or a mapping"),
    (b"log-level: {is: debug}", "Error: configuration key log-level must have one value, not a list or a mapping"),
    (b"log-level: loud", "configuration key log-level: must be one of trace, debug,"),
    (b"keep-alive: maybe", "configuration key keep-alive: invalid syntax"),
    (b"graceful-timeout: 5", "is no duration such as 300ms, 1.5s or 1m30s"),
    (b"max-connections: -1", "must be at least 1"),
    (b"events-keep: 99999999999999999999", "value out of range"),
    (b"a: [", "FTL configuration file wfx.yml is not valid YAML: "),
    (b"a: b: c", "FTL configuration file wfx.yml is not valid YAML: "),
    (b"\xff\xfe\x00", "FTL configuration file wfx.yml is not valid YAML: "),
    (b"- events-keep", "FTL configuration file wfx.yml is not valid: it must hold keys and values"),
    (b"? [a]\n: b", "FTL configuration file wfx.yml is not valid YAML: "),
    (b"a: 1\n---\nb: 2", "FTL configuration file wfx.yml is not valid YAML: "),
    (b"a: !!python/object/apply:os.system [id]", "FTL configuration file wfx.yml is not valid YAML: "),
    (DEEP, "FTL configuration file wfx.yml is not valid YAML: "),
], ids=lambda value: str(value)[:30])  # fmt: skip
def test_files_that_make_no_sense(tmp_path: Path, content: bytes, said: str) -> None:
    """Row 55: a wrong value or a broken file ends the start with one line that says which, where and why."""
    (tmp_path / "wfx.yml").write_bytes(content)
    assert said in start_and_fail(tmp_path)


@pytest.mark.parametrize("make", [
    lambda path: path.mkdir(),
    lambda path: path.symlink_to(path),
    lambda path: path.symlink_to("/proc/self/mem"),
], ids=["directory", "loop of links", "unreadable"])  # fmt: skip
def test_files_that_cannot_be_read(tmp_path: Path, make: Callable[[Path], None]) -> None:
    """Row 55: a file that is there and cannot be read ends the start with its name."""
    make(tmp_path / "wfx.yml")
    assert "FTL cannot read configuration file wfx.yml: " in start_and_fail(tmp_path)


def test_variables_that_make_no_sense(tmp_path: Path) -> None:
    """Row 55: a variable with a wrong value ends the start and is named."""
    assert start_and_fail(tmp_path, WFX_CLIENT_HOST="", WFX_EVENTS_KEEP="all") == (
        'Error: invalid value "all" for WFX_EVENTS_KEEP: invalid syntax')


def test_unknown_settings_are_named(tmp_path: Path) -> None:
    """Row 55: a setting that the service does not know is named in one line each, and the service starts."""
    (tmp_path / "wfx.yml").write_text("prot: 1\nlog: {level: trace}\n'\\x1b[2J': 2\nclient-port:\n")
    with LocalService(tmp_path, environment={"WFX_PROT": "1", "NO_COLOR": "1"}) as service:
        assert httpx.get(f"{service.north}/version", trust_env=False).status_code == 200
    warnings = [line.split("WRN ")[1].strip() for line in service.lines if "WRN " in line]
    assert warnings == [f"unknown option {name} is ignored" for name in ("prot", "log", "\\x1b[2J", "WFX_PROT")]
