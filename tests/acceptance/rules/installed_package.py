"""Packages of others that extend rules, as the guide shows them, built and installed for a service."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

_GUIDE = (Path(__file__).parents[3] / "docs" / "rules.md").read_text(encoding="utf-8")


def block(title: str, language: str) -> str:
    """Return the one block of this language in the section of the guide with this title."""
    section = _GUIDE.partition(f"### {title}\n")[2]
    (found,) = re.findall(rf"```{language}\n(.*?)```", re.split(r"\n###? ", section, maxsplit=1)[0], re.DOTALL)
    text: str = found
    return text


def install(folder: Path, name: str, files: Mapping[str, str]) -> Path:
    """Build a package of these files under a name, install it into a directory of its own, and return that."""
    source, target = folder / name, folder / f"{name}-installed"
    source.mkdir()
    for file, text in files.items():
        (source / file).write_text(text)
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(source)]
    subprocess.run(build, cwd=source, check=True, capture_output=True, timeout=120)
    (wheel,) = source.glob("*.whl")
    command = [sys.executable, "-m", "pip", "install", "--no-index", "--no-deps", "--target", str(target), str(wheel)]
    subprocess.run(command, cwd=source, check=True, capture_output=True, timeout=120)
    return target
