"""The command ``completion``, and the hidden commands that its shell scripts call (cli section 1)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from wfx.commandline import completion_candidates
from wfx.commandline.completion_candidates import Words
from wfx.commandline.failures import Failure
from wfx.commandline.grammar import Command, Parsed
from wfx.commandline.invocation import Invocation
from wfx.commandline.options import Kind, Option

_SCRIPTS = Path(__file__).parent / "shells"
_SHELLS = {"bash": "bash", "fish": "fish", "powershell": "PowerShell", "zsh": "zsh"}
_ONCE = {
    "bash": "source <({0} completion bash)",
    "fish": "{0} completion fish | source",
    "powershell": "{0} completion powershell | Out-String | Invoke-Expression",
    "zsh": "source <({0} completion zsh)",
}
_ALWAYS = {
    "bash": "{0} completion bash > ~/.local/share/bash-completion/completions/{0}",
    "fish": "{0} completion fish > ~/.config/fish/completions/{0}.fish",
    "powershell": "{0} completion powershell >> $PROFILE",
    "zsh": '{0} completion zsh > "${{fpath[1]}}/_{0}"',
}


Names = Callable[[Invocation, Parsed, str], Words]
"""Looks up names of a kind, for an unfinished command line. Raises Failure where that is impossible."""


def commands(program: str, names: Names = lambda _call, _parsed, _kind: ()) -> tuple[Command, ...]:
    """Return the commands of a program that have to do with completion."""
    described, plain = (
        _complete_command(name, with_descriptions, names) for name, with_descriptions in _CALLED_BY_SCRIPTS
    )
    return (
        Command(
            "completion",
            "Print a script that completes command lines",
            "Print a script for your shell, which then completes commands, flags and values at a press of the tab key.",
            examples=_examples(program, "bash"),
            children=tuple(_script(program, shell) for shell in _SHELLS),
        ),
        described,
        plain,
    )


def _script(program: str, shell: str) -> Command:
    return Command(
        shell,
        f"Print the completion script for {_SHELLS[shell]}",
        examples=_examples(program, shell),
        options=(Option("no-descriptions", Kind.BOOL, "offer words without descriptions"),),
        run=partial(_print_script, shell),
        configured=False,
    )


def _examples(program: str, shell: str) -> str:
    once, always = _ONCE[shell].format(program), _ALWAYS[shell].format(program)
    return f"# for this session\n{once}\n\n# for every session\n{always}"


def _print_script(shell: str, call: Invocation) -> None:
    script = (_SCRIPTS / f"completion.{shell}").read_text(encoding="utf-8")
    command = "__completeNoDesc" if call.settings.flag("no-descriptions") else "__complete"
    name = call.root.name
    filled = script.replace("@NAME@", name).replace("@FUNCTION@", name.replace("-", "_"))
    call.out.write(filled.replace("@COMPLETE@", command))


_CALLED_BY_SCRIPTS = (("__complete", True), ("__completeNoDesc", False))


def _complete_command(name: str, described: bool, names: Names) -> Command:
    return Command(
        name, "Complete a command line", run=partial(_complete, described, names), configured=False, hidden=True,
        takes_flags=True,
    )  # fmt: skip


def _complete(described: bool, names: Names, call: Invocation) -> None:
    """Print one word a line, then the directive, as the scripts expect it."""

    def lookup(parsed: Parsed, kind: str) -> Words:
        try:
            return names(call, parsed, kind)
        except Failure:
            return ()  # whoever presses a key wants no explanation

    offer = completion_candidates.complete(call.root, call.arguments, lookup)
    for word, description in offer.words:
        call.out.write(f"{word}\t{description}\n" if described and description else f"{word}\n")
    call.out.write(f":{offer.directive}\n")
    call.err.write(f"Completion ended with directive: {offer.directive.title}\n")
