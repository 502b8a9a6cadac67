"""Version and commit of the program."""

from __future__ import annotations

from pathlib import Path


def _built_from() -> str:
    """Return the commit that the build recorded (``hatch_build.py``); in a source tree nothing is."""
    try:
        return Path(__file__).with_name("commit.txt").read_text(encoding="ascii").strip()
    except OSError:
        return "unknown"


VERSION = "0.1.0"
COMMIT = _built_from()
API_VERSION = "v1"
