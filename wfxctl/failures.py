"""Everything that ends a command early, as one tree.

Failure                  "Error: <message>" on stderr, exit code 1
├── UsageFailure         the command line is wrong
├── ConfigurationFailure a file or certificate is wrong: a fatal log line instead of "Error: …"
├── Unreachable          no answer: connection refused, cut, or too slow
├── RefusedByServer      an answer, but not success
└── OutputFailure        the output cannot be written
"""

from __future__ import annotations

EXIT_OK = 0
EXIT_FAILED = 1
EXIT_TIMEOUT = 3
"""``job wait``: the time is over."""
EXIT_HOPELESS = 4
"""``job wait``: the job is gone, or no transition leads to what was waited for."""
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


class Unreachable(Failure):
    """The server gave no answer."""


class OutputFailure(Failure):
    """Standard output or standard error cannot be written to, though somebody reads it."""


class RefusedByServer(Failure):
    """The server answered, but with a status other than 200, 201 and 204."""

    def __init__(self, status: int, body: str) -> None:
        """Keep the body, which is shown as it came."""
        super().__init__("error: " + body.removesuffix("\n"))
        self.status = status
        self.body = body
