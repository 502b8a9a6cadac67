"""Components: the packages of requirements.lock, as they are installed beside this program."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from itertools import chain
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
LOCK = ROOT / "requirements.lock"
_LOCKED = re.compile(r"^([a-z0-9.-]+)==(\S+) \\\n((?: +--hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", re.MULTILINE)
_SPELLINGS = {
    "apache 2.0": "Apache-2.0",
    "apache software license": "Apache-2.0",
    "bsd license": "BSD-3-Clause",
    "mit license": "MIT",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0",
    "the mit license (mit)": "MIT",
}
"""Names of licences in older descriptions of packages, and what SPDX calls them."""
_IDENTIFIER = re.compile(r"[A-Za-z0-9.-]+")


class NotAsLocked(Exception):
    """What is installed is not what the lock file says."""


@dataclass(frozen=True, slots=True)
class Component:
    """A package with its version, the hashes of its archives, its licence, and the packages that it needs."""

    name: str
    version: str
    hashes: tuple[str, ...]
    license: str
    needs: tuple[str, ...]
    installed: metadata.Distribution


def project() -> dict[str, Any]:
    """Return what pyproject.toml says about wfx itself."""
    found: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return found


def direct_needs() -> tuple[str, ...]:
    """Return the packages that wfx itself asks for, also those of its extras: all are shipped."""
    about = project()
    asked = chain(about["dependencies"], *about["optional-dependencies"].values())
    return tuple(sorted(canonicalize_name(Requirement(each).name) for each in asked))


_PYTHONS: tuple[dict[str, str], ...] = ({}, {"python_version": "3.11", "python_full_version": "3.11.0"})
"""Interpreters that the lock is for: this one, and the oldest."""


def components(lock: Path = LOCK) -> list[Component]:
    """Read the lock file. Raises NotAsLocked where another version is installed, or none."""
    locked = {name: (version, hashes) for name, version, hashes in _LOCKED.findall(lock.read_text(encoding="utf-8"))}
    return [
        _component(name, version, tuple(re.findall("sha256:([0-9a-f]+)", hashes)), locked)
        for name, (version, hashes) in locked.items()
    ]


def _component(name: str, version: str, hashes: tuple[str, ...], locked: dict[str, tuple[str, str]]) -> Component:
    try:
        installed = metadata.distribution(name)
    except metadata.PackageNotFoundError as exc:
        raise NotAsLocked(f"{name} {version} is not installed: run make .venv/.runtime") from exc
    if installed.version != version:
        raise NotAsLocked(f"{name} {installed.version} is installed, the lock says {version}: run make .venv/.runtime")
    needs = tuple(sorted(set(_needs(installed)) & locked.keys()))
    return Component(name, version, hashes, license_of(installed), needs, installed)


def _needs(installed: metadata.Distribution) -> Iterator[str]:
    for text in installed.requires or ():
        wanted = Requirement(text)
        if wanted.marker is None or any(wanted.marker.evaluate({"extra": "", **each}) for each in _PYTHONS):
            yield canonicalize_name(wanted.name)


def license_of(installed: metadata.Distribution) -> str:
    """Return the SPDX expression of a package's licence; raises NotAsLocked for one that says none."""
    said = installed.metadata.json
    if expression := said.get("license_expression"):
        return str(expression)
    text = str(said.get("license", "")).strip().partition("\n")[0].strip()
    if text and (found := _SPELLINGS.get(text.lower()) or _IDENTIFIER.fullmatch(text)):
        return found if isinstance(found, str) else found.group()
    for classifier in said.get("classifier", ()):
        name = classifier.rpartition("::")[2].strip().lower()
        if classifier.startswith("License ::") and name in _SPELLINGS:
            return _SPELLINGS[name]
    raise NotAsLocked(f"{installed.name} does not say what its licence is")
