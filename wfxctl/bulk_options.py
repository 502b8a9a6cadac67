"""Options of the commands for many jobs, beside those of selections."""

from __future__ import annotations

from wfx.commandline.failures import UsageFailure
from wfx.commandline.options import ANY_FILE, Kind, Option
from wfxctl.invocation import ClientInvocation

YES = Option("yes", Kind.BOOL, "with a selection: do not ask")
CREATION_OPTIONS = (
    Option("dry-run", Kind.BOOL, "with many jobs: change nothing, tell how many there are and name the first ones"),
    Option("continue-on-error", Kind.BOOL, "with many jobs: go on after a part of them in which some failed"),
    Option(
        "results",
        Kind.STRING,
        "with many jobs: write what became of each to this file, NAME.csv or NAME.ndjson",
        extensions=ANY_FILE,
    ),
    Option("resume", Kind.STRING, "with many jobs: go on where the same command broke off, by what it printed then"),
)
OPTIONS = (CREATION_OPTIONS[0], YES, *CREATION_OPTIONS[1:])
"""What commands for many jobs know beside selections."""


def refuse_without_many(call: ClientInvocation, what: str) -> None:
    """Raise UsageFailure for options that make sense with many jobs alone: ``--dry-run`` must not delete one."""
    for option in OPTIONS:
        if option.name in call.settings and call.settings.is_flag(option.name):
            raise UsageFailure(f"--{option.name} is for many jobs: it needs {what}")
