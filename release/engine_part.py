"""The engine of scripts as a part of wfx: no Python package, and in every wheel and package (``quickjs.wasm``)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from release.components import ROOT
from wfx.scripts.engine_file import ENGINE, SHA256

_LOCK = Path(__file__).parent / "script_engine" / "package-lock.json"
_PACKAGE = "quickjs-wasi"
_LICENSE = "MIT AND Unicode-3.0 AND Apache-2.0 WITH LLVM-exception"
"""Of the package, which says MIT, and of what is built into its file; the texts are in LICENSE_TEXT."""
LICENSE_TEXT = ENGINE.with_name("quickjs.LICENSE.txt")


@dataclass(frozen=True, slots=True)
class EnginePart:
    """The file, and the package of the npm registry that it is from."""

    name: str
    version: str
    file: str
    """Its name, below the root of the source and of a wheel."""
    sha256: str
    license: str

    @property
    def purl(self) -> str:
        """The name of the package everywhere."""
        return f"pkg:npm/{self.name}@{self.version}"


def engine_part() -> EnginePart:
    """Return what the lock file of npm and the check at the start say about it."""
    locked = json.loads(_LOCK.read_text(encoding="utf-8"))["packages"][f"node_modules/{_PACKAGE}"]
    return EnginePart(_PACKAGE, locked["version"], ENGINE.relative_to(ROOT).as_posix(), SHA256, _LICENSE)
