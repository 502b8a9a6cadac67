"""The libraries in the console as parts of wfx: packages of the npm registry, bundled by ``wfx/console/build.mjs``."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from urllib.parse import quote

from release.console import CONSOLE

LICENSE_TEXTS = CONSOLE / "built" / "licenses.txt"
"""The texts of their licences, written when the console is built."""
FOLDER = "wfx/console/built"
"""Where they are, below the root of the source and of a wheel."""


@dataclass(frozen=True, slots=True)
class ConsolePart:
    """A package, as the lock file of npm has it."""

    name: str
    version: str
    license: str
    sha512: str
    """Of its archive, in hexadecimal digits."""

    @property
    def purl(self) -> str:
        """Its package URL."""
        return f"pkg:npm/{quote(self.name)}@{self.version}"

    @property
    def spdx_name(self) -> str:
        """Its name in letters that SPDX allows."""
        return self.name.lstrip("@").replace("/", "-")


def console_parts() -> list[ConsolePart]:
    """Return what is in the console; what only builds it is not."""
    packages = json.loads((CONSOLE / "package-lock.json").read_bytes())["packages"]
    return [
        ConsolePart(
            place.removeprefix("node_modules/"),
            locked["version"],
            locked["license"],
            base64.b64decode(locked["integrity"].removeprefix("sha512-")).hex(),
        )
        for place, locked in packages.items()
        if place and not locked.get("dev")
    ]
