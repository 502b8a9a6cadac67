"""``wfxctl completion``, and the hidden commands that its scripts call (cli section 1)."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from wfxctl import completing
from wfxctl.call import Call
from wfxctl.grammar import Command
from wfxctl.options import Kind, Option

_SCRIPTS = Path(__file__).parent.parent / "shells"


def _print_script(shell: str, call: Call) -> None:
    script = (_SCRIPTS / f"wfxctl.{shell}").read_text(encoding="utf-8")
    command = "__completeNoDesc" if call.settings.flag("no-descriptions") else "__complete"
    call.out.write(script.replace("@COMPLETE@", command))


def _complete(described: bool, call: Call) -> None:
    """Print one word a line, then the directive, as the scripts expect it."""
    offer = completing.complete(call.root, call.arguments)
    for word, description in offer.words:
        call.out.write(f"{word}\t{description}\n" if described and description else f"{word}\n")
    call.out.write(f":{offer.directive}\n")
    call.err.write(f"Completion ended with directive: {offer.directive.title}\n")


def _script(shell: str, title: str, examples: str) -> Command:
    return Command(
        shell,
        f"Print the completion script for {title}",
        examples=examples,
        options=(Option("no-descriptions", Kind.BOOL, "offer words without descriptions"),),
        run=partial(_print_script, shell),
        configured=False,
    )


COMMAND = Command(
    "completion",
    "Print a script that completes command lines",
    "Print a script for your shell, which then completes commands, flags and values when you press the tab key.",
    examples="""
    # in bash, for this session
    source <(wfxctl completion bash)

    # in zsh, for ever
    wfxctl completion zsh > "${fpath[1]}/_wfxctl"
    """,
    children=(
        _script("bash", "bash", """
        # for this session
        source <(wfxctl completion bash)

        # for every session
        wfxctl completion bash > ~/.local/share/bash-completion/completions/wfxctl
        """),
        _script("fish", "fish", """
        # for this session
        wfxctl completion fish | source

        # for every session
        wfxctl completion fish > ~/.config/fish/completions/wfxctl.fish
        """),
        _script("powershell", "PowerShell", """
        # for this session
        wfxctl completion powershell | Out-String | Invoke-Expression

        # for every session
        wfxctl completion powershell >> $PROFILE
        """),
        _script("zsh", "zsh", """
        # for this session
        source <(wfxctl completion zsh)

        # for every session
        wfxctl completion zsh > "${fpath[1]}/_wfxctl"
        """),
    ),
)
COMPLETE, COMPLETE_WITHOUT_DESCRIPTIONS = (
    Command(name, "Complete a command line", run=partial(_complete, described), configured=False, hidden=True,
            takes_flags=True)
    for name, described in (("__complete", True), ("__completeNoDesc", False))
)
