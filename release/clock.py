"""Time of a build: that of the commit, so that whoever builds it again gets the same files."""

from __future__ import annotations

import os
import subprocess
import time

from release.components import ROOT


def build_time() -> int:
    """Return SOURCE_DATE_EPOCH, else the time of the commit, else now, in seconds."""
    if given := os.environ.get("SOURCE_DATE_EPOCH"):
        return int(given)
    command = ["git", "-C", str(ROOT), "log", "-1", "--format=%ct"]
    try:
        return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)  # noqa: S603 - git itself
    except (OSError, subprocess.CalledProcessError):
        return int(time.time())
