"""Levels of log records: names for people, and numbers of the standard library."""

from __future__ import annotations

import logging

TRACE = 5
LEVELS = {
    "trace": TRACE,
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warn": logging.WARNING,
    "error": logging.ERROR,
    "fatal": logging.CRITICAL,
    "panic": logging.CRITICAL,
}
_NAMES = {TRACE: "trace", 10: "debug", 20: "info", 30: "warn", 40: "error", 50: "fatal"}


def name_of(level: int) -> str:
    """Return the name of a record's level."""
    return _NAMES.get(level, "info")
