"""Commands and files that the guides show, so that tests run what people will copy."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def blocks(guide: str, kind: str) -> list[str]:
    """All blocks of a kind in a guide."""
    text = (DOCS / guide).read_text(encoding="utf-8")
    return re.findall(rf"^```{kind}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def commands(beginning: str, guide: str = "installation.md") -> list[list[str]]:
    """The commands of a guide that begin so, in words; tests have no need of sudo."""
    lines = [line for block in blocks(guide, "sh") for line in block.splitlines()]
    found = [
        shlex.split(line.removeprefix("sudo ")) for line in lines if line.removeprefix("sudo ").startswith(beginning)
    ]
    assert found, f"{guide} shows no command that begins with {beginning}"
    return found


def shown(guide: str, kind: str, beginning: str = "") -> str:
    """The only block of a kind in a guide that begins so."""
    (found,) = [block for block in blocks(guide, kind) if block.startswith(beginning)]
    return found
