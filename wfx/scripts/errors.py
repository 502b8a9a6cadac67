"""Errors of the script engine."""

from __future__ import annotations

from wfx.sandbox.errors import Unavailable


class ScriptsUnavailable(Exception):
    """This installation cannot run scripts; the message says why, and what to do."""


class ScriptsBusy(Unavailable):
    """As many scripts as may use workers or wait for one did so for too long; nothing was done."""
