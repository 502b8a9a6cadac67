"""Discovery of plugins in a directory (server section 11.1).

Every executable file is a plugin, symbolic links are resolved, and the order is that of the names in the directory,
byte-wise. A program that others may replace would give them the server's rights, so a plugin that is writable by
others, or lies in a directory that is, stops the start. What lies in the subdirectory ``observe`` is told of answers
instead of being asked about requests.
"""

from __future__ import annotations

import logging
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from wfx.config.cross_checks import OptionRefused
from wfx.config.options import Config, Option
from wfx.plugin.errors import PluginRefused

_log = logging.getLogger(__name__)
OBSERVERS = "observe"
"""The subdirectory of plugins that observe."""
_ANY_EXECUTE = stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH


@dataclass(frozen=True, slots=True)
class Found:
    """One plugin."""

    name: str
    """Its name in the directory, with escapes for what is no text in it."""
    path: Path
    """Absolute, of the program."""


def discover(directory: Path) -> list[Found]:
    """List the plugins of ``directory`` in the order in which requests visit them; raise PluginRefused."""
    try:
        names = os.listdir(directory)  # noqa: PTH208 - names are wanted, and as they are
    except OSError as exc:
        raise PluginRefused(f"plugin directory {directory}: {exc.strerror}") from exc
    _refuse_if_writable(directory.resolve())
    found = (_examine(directory, name) for name in sorted(names, key=os.fsencode))
    return [plugin for plugin in found if plugin]


def discover_observers(directory: Path) -> list[Found]:
    """List those of the subdirectory ``observe``, with that in their names; raise PluginRefused."""
    below = directory / OBSERVERS
    if not below.is_dir():
        return []
    return [Found(f"{OBSERVERS}/{found.name}", found.path) for found in discover(below)]


def check_option(option: Option, config: Config) -> None:
    """Check the directory that an option names. Raises OptionRefused."""
    directory = getattr(config, option.member)
    try:
        if directory:
            discover(Path(directory))
            discover_observers(Path(directory))
    except PluginRefused as exc:
        raise OptionRefused(option.name, str(exc)) from exc


def _examine(directory: Path, name: str) -> Found | None:
    entry = directory / name
    try:
        path = entry.resolve(strict=True)
        mode = path.stat().st_mode
    except (OSError, RuntimeError) as exc:  # a loop is a RuntimeError before Python 3.13
        _log.warning("ignoring plugin file", extra={"fields": {"path": str(entry), "reason": str(exc)}})
        return None
    reason = _reason_to_skip(mode)
    if reason:
        _log.debug("skipping plugin file", extra={"fields": {"path": str(entry), "reason": reason}})
        return None
    _refuse_if_writable(path)
    _refuse_if_writable(path.parent)
    return Found(os.fsencode(name).decode("utf-8", "backslashreplace"), path)


def _reason_to_skip(mode: int) -> str:
    if stat.S_ISDIR(mode):
        return "directory"
    if not stat.S_ISREG(mode):
        return "not a regular file"
    return "" if mode & _ANY_EXECUTE else "not executable"


def _refuse_if_writable(path: Path) -> None:
    if path.stat().st_mode & stat.S_IWOTH:
        raise PluginRefused(f"{path} is writable by others, who could put a program of theirs there (chmod o-w)")
