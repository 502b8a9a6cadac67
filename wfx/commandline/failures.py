"""Errors that end a command, as one tree.

Failure                  "Error: <message>" on stderr, exit code 1
├── UsageFailure         the command line is wrong (exit code 2 where a program is asked to tell that apart)
├── ConfigurationFailure a file or certificate is wrong: a fatal log line instead of "Error: …"
└── OutputFailure        the output cannot be written
"""

from __future__ import annotations

EXIT_OK = 0
EXIT_FAILED = 1
EXIT_USAGE = 2
"""The command line is wrong, where a program is asked to tell that apart."""
EXIT_INTERRUPTED = 130
EXIT_BROKEN_PIPE = 141


class Failure(Exception):
    """Ends the command; the message is one sentence for the user."""

    def __init__(self, message: str, code: int = EXIT_FAILED) -> None:
        """Keep the exit code, which is 1 unless a command documents another one."""
        super().__init__(message)
        self.code = code


class UsageFailure(Failure):
    """The command line is wrong."""


class ConfigurationFailure(Failure):
    """Something outside the command line is wrong: a configuration file or a certificate."""


class OutputFailure(Failure):
    """Standard output or standard error cannot be written to, though somebody reads it."""
