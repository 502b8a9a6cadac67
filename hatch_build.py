"""Build hook: writes the API documents as JSON into the package, where the service reads them at its start."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import yaml
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PACKAGED = ("wfx.openapi", "wfx.swagger")


class ApiDocuments(BuildHookInterface[Any]):
    """Runs for wheels and for editable installations."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - hatchling's signature
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
