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
    seen.write(b"%b %d\\n" % (request.destination.encode(), len(request.body)))
    return PASS

run(remember)
"""


def write_recorder(folder: Path, seen: Path) -> Path:
    """Write a plugin that appends each destination, and the length of the body, to ``seen``; returns its directory."""
    directory = folder / f"plugins-{seen.name}"
    directory.mkdir()
    program = directory / "recorder"
    program.write_text(_PROGRAM.format(python=sys.executable, plugins=str(_ROOT / "plugins"), seen=str(seen)))
    program.chmod(0o755)
    return directory


@dataclass
class Recorded:
    """A service and what is known of the requests to it."""

    service: LocalService
    folder: Path
    """Where the plugin of each side keeps what it has seen, in a file by the name of the side."""
    marks: int = 0

    def shown(self, side: str) -> list[tuple[str, int]]:
        """Give the destinations that the plugin of a side has seen since the last time, and the length of each body."""
        self.marks += 1
        mark = f"/mark-{self.marks}"
        httpx.get(f"http://127.0.0.1:{self.service.ports[side]}{mark}", trust_env=False)
        file = self.folder / side
        lines = [line.rpartition(" ") for line in file.read_text("latin-1").splitlines()]
        file.write_bytes(b"")
        return [(destination, int(length)) for destination, _, length in lines if not destination.startswith("/mark")]

    def paths(self, port: int) -> tuple[list[str], list[str]]:
        """Give the paths that the northbound plugin has seen since the last time, and those from this port."""
        shown = self.shown("north")
        mark = f"/mark-{self.marks}"
        deadline = time.monotonic() + DEADLINE
        while not any(mark in line for line in self.service.lines):
            assert time.monotonic() < deadline, "the mark is not logged"
            time.sleep(0.01)
        records = [json.loads(line) for line in list(self.service.lines) if '"processing"' in line]
        asked = [record["path"] for record in records if record["remoteAddr"].endswith(f":{port}")]
        self.service.lines.clear()
        return [destination.partition("?")[0] for destination, _ in shown], asked
