"""Scripts as the store keeps them, each version by the hash of its source, and what is asked of them."""

from __future__ import annotations

from typing import NamedTuple

from wfx.domain.json import Json
from wfx.domain.timestamp import Timestamp

MOST_SCRIPTS = 1000
"""Scripts that a store has."""
MOST_OLD_VERSIONS = 1000
"""Versions that are kept though they are not the present ones of their scripts: those put last."""


class ScriptHead(NamedTuple):
    """A version of a script, without its source."""

    name: str
    sha256: str
    """Of the source, in hexadecimal digits."""
    ctime: Timestamp
    """When it was put; if several times, last."""
    size: int
    """Bytes of the source."""
    findings: Json
    """What the analysis found in it."""
    is_current: bool
    """Whether it is what the name stands for."""


class Script(NamedTuple):
    """A version of a script."""

    head: ScriptHead
    source: str


class ScriptWanted(NamedTuple):
    """Asks for a version of a script; the present one by default."""

    name: str
    sha256: str | None


class ScriptPage(NamedTuple):
    """Asks for the present versions of scripts behind a name, in the order of the names."""

    after: str
    limit: int


class VersionsOfScript(NamedTuple):
    """Asks for all versions of a script, those put last first."""

    name: str


ScriptQuestion = ScriptWanted | ScriptPage | VersionsOfScript
