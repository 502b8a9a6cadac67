"""The command ``help`` (cli section 1)."""

from __future__ import annotations

from wfx.commandline import help_texts
from wfx.commandline.grammar import Command, Parsed
from wfx.commandline.invocation import Invocation
from wfx.commandline.terminal import neutralise


def run(call: Invocation) -> None:
    """Print the help of the command that the arguments name."""
    parsed = Parsed([call.root])
    for word in call.arguments:
        child = parsed.command.child(word)
        if child is None:
            topic = neutralise(" ".join(call.arguments))
            call.err.write(f"Unknown help topic: {topic}\n\n{help_texts.usage_text(Parsed([call.root]))}")
            return
        parsed.path.append(child)
    call.out.write(help_texts.help_text(parsed))


def command(program: str, example: str) -> Command:
    """Return the command of a program; ``example`` is the name of one of its commands."""
    return Command(
        "help",
        "Show help about a command",
        usage="[command]",
        examples=f"# about the whole program\n{program} help\n\n# about one command\n{program} help {example}",
        run=run,
        names_command=True,
        configured=False,
    )
