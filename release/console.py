"""Build the console into the source tree: ``python -m release.console [--if-npm-is-found]``.

Its tools and libraries come from the npm registry by the hashes of ``wfx/console/package-lock.json``; neither they nor
what is built are a part of the repository.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

from release import npm

CONSOLE = Path(__file__).parents[1] / "wfx" / "console"
_MANIFEST = CONSOLE / "built" / "manifest.json"
_PACKAGES = CONSOLE / "node_modules"
_INSTALLED = _PACKAGES / ".wfx-lock"
"""Has the hash of the lock file that the packages were installed by."""
_PATIENCE = 30.0
"""Seconds that each of the two steps may take when the console is optional."""


def build(*, optional: bool) -> str:
    """Build it unless it is up to date; return what to say. Raises OSError, SubprocessError."""
    sources = _hash(_sources())
    if _built_from() == sources:
        return ""
    patience = _PATIENCE if optional else npm.DEADLINE
    try:
        with npm.programs(may_install=not optional) as search:
            _install(search, patience)
            npm.run(["node", "build.mjs", sources], CONSOLE, search, patience)
    except npm.NpmNotFound:
        return "The console was not built: npm, which fetches its packages, was not found; make console installs npm."
    return "Built the console."


def packages() -> None:
    """Install the tools and libraries only."""
    with npm.programs(may_install=True) as search:
        _install(search, npm.DEADLINE)


def _install(search: str, patience: float) -> None:
    wanted = _hash([CONSOLE / "package-lock.json"])
    if not _INSTALLED.exists() or _INSTALLED.read_text(encoding="ascii") != wanted:
        npm.install(CONSOLE, search, patience)
        _INSTALLED.write_text(wanted, encoding="ascii")


def _built_from() -> str:
    """Return the hash of the sources that the built console was made of; empty if there is none."""
    try:
        return str(json.loads(_MANIFEST.read_bytes())["sources"])
    except (OSError, ValueError, KeyError):
        return ""


def _sources() -> list[Path]:
    files = [path for path in (CONSOLE / "src").rglob("*") if path.is_file()]
    return sorted([*files, CONSOLE / "build.mjs", CONSOLE / "package-lock.json"])


def _hash(files: list[Path]) -> str:
    """Return one hash of the names and contents of files."""
    found = hashlib.sha256()
    for file in files:
        found.update(f"{file.relative_to(CONSOLE).as_posix()} {file.stat().st_size}\n".encode())
        found.update(file.read_bytes())
    return found.hexdigest()


def main() -> None:
    """Build it; with --if-npm-is-found, wfx goes on without it where that fails."""
    if "--packages" in sys.argv[1:]:
        packages()
        return
    without = "The console was not built"
    npm.fetch_for_program(lambda optional: build(optional=optional), without, "console")


if __name__ == "__main__":
    main()
