"""Build hook: writes the API documents as JSON into the wheel, and into archives the commit they were built from."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import yaml
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PACKAGED = ("wfx.openapi", "fleet.openapi", "rules.openapi", "wfx.swagger")
COMMIT_FILE = "wfx/commit.txt"


class CommitUnknown(Exception):
    """What is built has to say which commit it was built from."""


class BuiltFiles(BuildHookInterface[Any]):
    """Runs for wheels, source archives and editable installations."""

    _recorded: tempfile.TemporaryDirectory[str] | None = None

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Make what is not in the repository."""
        if self.target_name == "wheel":
            self._write_documents()
        if version != "editable":
            self._record_commit(build_data)

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002 - hatchling's signature
        """Remove what only the archive needed."""
        if self._recorded is not None:
            self._recorded.cleanup()

    def _write_documents(self) -> None:
        """Convert the documents; each appears under its name only when it is complete.

        Several builds may do so at once: what is not complete has a name of its own, outside of the package.
        """
        root = Path(self.root)
        target = root / "wfx" / "spec"
        target.mkdir(exist_ok=True)
        for name in PACKAGED:
            document = yaml.load((root / "spec" / f"{name}.yml").read_bytes(), Loader=yaml.CSafeLoader)
            unfinished = root / f".{name}.{os.getpid()}.json"
            unfinished.write_text(json.dumps(document, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")
            unfinished.replace(target / f"{name}.json")

    def _record_commit(self, build_data: dict[str, Any]) -> None:
        """Add the commit to the archive. A source archive has it already, and passes it on to what is built from it."""
        root = Path(self.root)
        commit = commit_of(root)
        if commit:
            self._recorded = tempfile.TemporaryDirectory()
            file = Path(self._recorded.name) / "commit.txt"
            file.write_text(f"{commit}\n", encoding="ascii")
            build_data["force_include"][str(file)] = COMMIT_FILE
        elif not (root / COMMIT_FILE).exists():
            raise CommitUnknown(
                "cannot tell which commit this is: build in a git clone, from the source archive, or set SOURCE_COMMIT"
            )


def commit_of(root: Path) -> str:
    """Return SOURCE_COMMIT, else the commit of the clone, marked if files changed since; nothing if there is none."""
    if given := os.environ.get("SOURCE_COMMIT"):
        return given

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(root), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603 - git itself

    try:
        if Path(git("rev-parse", "--show-toplevel")).resolve() != root.resolve():
            return ""
        changed = git("status", "--porcelain", "--untracked-files=no")
        return git("rev-parse", "HEAD") + ("-dirty" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return ""
