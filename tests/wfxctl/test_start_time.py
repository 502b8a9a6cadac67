"""The program starts quickly: what few commands need is imported by them alone."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

MOST_MODULES = 190
"""Modules that the program may consist of when it has read its command line, Python's own among them."""
LATE = (
    "base64", "csv", "hashlib", "http", "httpx", "jq", "queue", "random", "rich", "shutil", "ssl", "tempfile", "uuid",
    "wfx.client.errors", "wfx.client.models", "wfxctl.bulk", "wfxctl.bulk_changes", "yaml", "zlib",
)  # fmt: skip
"""Modules that take long to import, and that most commands do without."""


@pytest.fixture(scope="module")
def imported() -> list[str]:
    """The modules that there are once the program is imported."""
    program = "import json, sys; import wfxctl.main; print(json.dumps(sorted(sys.modules)))"
    ran = subprocess.run([sys.executable, "-S", "-I", "-c", f"import sys; sys.path[:0] = {sys.path}; {program}"],
                         capture_output=True, text=True, timeout=60, check=True)  # fmt: skip
    found: list[str] = json.loads(ran.stdout)
    return found


def test_few_modules_are_imported(imported: list[str]) -> None:
    """No more modules are imported than were measured, and some to spare."""
    assert len(imported) <= MOST_MODULES, f"{len(imported)} modules: import where it is needed what few commands need"


@pytest.mark.parametrize("name", LATE)
def test_slow_modules_are_imported_late(imported: list[str], name: str) -> None:
    """A module that is slow to import, and that few commands need, is not imported at the start."""
    assert name not in imported
