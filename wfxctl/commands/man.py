"""``wfxctl man`` (cli section 1)."""

from __future__ import annotations

from wfxctl.call import Call
from wfxctl.grammar import Command
from wfxctl.options import Kind, Option


def run(call: Call) -> None:
    """Write the manual pages."""


COMMAND = Command(
    "man",
    "Write manual pages",
    "Write one manual page for each command into a directory, which is created if need be.",
    examples="""
    # into ./man
    wfxctl man

    # where man finds them
    wfxctl man --dir "$HOME/.local/share/man/man1"
    """,
    options=(Option("dir", Kind.STRING, "the directory", "man"),),
    run=run,
    configured=False,
)
