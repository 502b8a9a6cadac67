"""Errors of scripts: a part of the tree in :mod:`wfx.domain.errors`."""

from __future__ import annotations

from wfx.domain.errors import NotFound, WfxError
from wfx.domain.json import Json


class ScriptNotFound(NotFound):
    """No script has this name, or none of its versions this hash."""

    def __init__(self, name: str, sha256: str | None = None) -> None:
        """Name the script, and the version if one was asked for."""
        super().__init__(f"there is no script {name!a}" + ("" if sha256 is None else f" with the version {sha256!a}"))


class ScriptsOff(WfxError):
    """Scripts are not run, nor kept."""


class ScriptInvalid(WfxError):
    """A source is no script."""

    def __init__(self, reason: str, position: tuple[int, int] | None) -> None:
        """Say why, and at which line and column, if that is known."""
        super().__init__(reason if position is None else f"line {position[0]}, column {position[1]}: {reason}")


class ScriptBlocked(WfxError):
    """A source has findings of high severity."""

    def __init__(self, findings: Json, count: int) -> None:
        """Keep what was found, and say how much of it is severe."""
        self.findings = findings
        many = f"{count} findings" if count > 1 else "a finding"
        super().__init__(f"the source has {many} of high severity; block-on-high-severity lets them pass")


class ScriptsUnavailableNow(WfxError):
    """No process can work on a script at the moment."""


class ScriptsBusyNow(WfxError):
    """As many scripts run or wait as may; nothing was done."""


class TooManyScripts(WfxError):
    """The store has as many scripts as it may."""

    def __init__(self, most: int) -> None:
        """Say how many."""
        super().__init__(f"there are {most} scripts already; delete some first")
