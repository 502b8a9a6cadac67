"""Errors of the script engine."""

from __future__ import annotations


class ScriptsUnavailable(Exception):
    """This installation cannot run scripts; the message says why, and what to do."""
