"""Invocation of a command: its settings, arguments, streams and log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO

from wfx.commandline.configuration import ResolvedSettings, Sources
from wfx.commandline.grammar import Command
from wfx.commandline.log import Log
from wfx.commandline.options import Settings
from wfx.commandline.terminal import Stream


@dataclass(frozen=True, slots=True)
class Invocation:
    """Settings and streams of one call."""

    root: Command
    """The program's whole tree of commands."""
    resolved: ResolvedSettings
    """Its settings, and what there is to say about their sources."""
    arguments: list[str]
    stdin: BinaryIO
    out: Stream
    err: Stream
    log: Log
    environment: Mapping[str, str]
    sources: Sources
    """Where the settings come from, to be read again."""

    @property
    def settings(self) -> Settings:
        """Its settings."""
        return self.resolved.settings
