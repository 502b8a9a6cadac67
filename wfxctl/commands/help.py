"""``wfxctl help`` (cli section 1)."""

from __future__ import annotations

from wfxctl import manual
from wfxctl.call import Call
from wfxctl.grammar import Command, Parsed
from wfxctl.terminal import neutralise


def run(call: Call) -> None:
    """Print the help of the command that the arguments name."""
    parsed = Parsed([call.root])
    for word in call.arguments:
        child = parsed.command.child(word)
        if child is None:
            topic = neutralise(" ".join(call.arguments))
            call.err.write(f"Unknown help topic: {topic}\n\n{manual.usage_text(Parsed([call.root]))}")
            return
        parsed.path.append(child)
    call.out.write(manual.help_text(parsed))


COMMAND = Command(
    "help",
    "Show help about a command",
    usage="[command]",
    examples="""
    # about the whole program
    wfxctl help

    # about one command
    wfxctl help job create
    """,
    run=run,
    names_command=True,
    configured=False,
)
