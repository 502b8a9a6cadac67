"""Servers of PostgreSQL of other versions than Debian's, from packages that `make .venv/.postgres` installs."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

_INSTALLED = Path(sys.prefix) / "postgres-versions" / "node_modules"


def own_copy(version: str, folder: Path) -> Path:
    """Copy the programs of a version below a folder; returns the directory that has them.

    Whoever runs the server need not reach the work tree, and links have to be made: packages of npm have none.
    """
    package = _INSTALLED / f"postgres-{version}"
    assert package.is_dir(), f"PostgreSQL {version} of the tests is missing: `make test` installs it (x86-64 only)"
    native = shutil.copytree(package / "native", folder / "native")
    for directory in (native, *(each for each in native.rglob("*") if each.is_dir())):
        directory.chmod(0o777)  # whoever runs the server removes it in the end
    for link in json.loads((native / "pg-symlinks.json").read_text()):
        (folder / link["target"]).symlink_to(Path(link["source"]).name)
    return folder / "native" / "bin"
