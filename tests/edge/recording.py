"""Knowing what was behind the edge: what a plugin was shown, and what the app began to answer."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import httpx

from wfx.demo.local import LocalService

DEADLINE = 20.0
_ROOT = Path(__file__).parents[2]
_PROGRAM = """\
#!{python}
import sys
sys.path.insert(0, {plugins!r})
from wfx_plugin import PASS, run

seen = open({seen!r}, "ab", buffering=0)

def remember(request):
    seen.write(request.destination.encode() + b"\\n")
    return PASS

run(remember)
"""


def write_recorder(folder: Path, seen: Path) -> Path:
    """Write a plugin that appends each destination to ``seen``; returns the directory it is in."""
    directory = folder / "plugins"
    directory.mkdir()
    program = directory / "recorder"
    program.write_text(
        _PROGRAM.format(python=sys.executable, plugins=str(_ROOT / "plugins"), seen=str(seen))
    )
    program.chmod(0o755)
    return directory


@dataclass
class Recorded:
    """A service and what is known of the requests to it."""

    service: LocalService
    seen: Path
    marks: int = 0

    def paths(self, port: int) -> tuple[list[str], list[str]]:
        """Give what the plugin has seen since the last time, and what the app was asked from this port."""
        self.marks += 1
        mark = f"/mark-{self.marks}"
        httpx.get(self.service.north + mark, trust_env=False)
        deadline = time.monotonic() + DEADLINE
        while not any(mark in line for line in self.service.lines):
            assert time.monotonic() < deadline, "the mark is not logged"
            time.sleep(0.01)
        shown = [line.decode("latin-1") for line in self.seen.read_bytes().splitlines()]
        shown = [line for line in shown if not line.startswith("/mark")]
        self.seen.write_bytes(b"")
        records = [json.loads(line) for line in list(self.service.lines) if '"processing"' in line]
        asked = [record["path"] for record in records if record["remoteAddr"].endswith(f":{port}")]
        self.service.lines.clear()
        return [line.partition("?")[0] for line in shown], asked
