"""Completion of command lines in bash, zsh, fish and PowerShell (cli section 1)."""

from __future__ import annotations

from string import Template

import click
from click.shell_completion import ShellComplete

from wfx_loadtest.command import Verb

_ALL_GIVEN = ":4"
"""Ends the list of candidates: they are all, file names do not come into question."""
_FILES_TOO = ":0"

_BASH = """\
_wfx_loadtest() {
    local line
    COMPREPLY=()
    while IFS='' read -r line; do
        [[ $$line == :* ]] || COMPREPLY+=("$${line%%$$'\\t'*}")
    done < <("$${COMP_WORDS[0]}" $command "$${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F _wfx_loadtest wfx-loadtest
"""
_ZSH = """\
#compdef wfx-loadtest
_wfx_loadtest() {
    local -a candidates
    local line
    for line in "$${(@f)$$(wfx-loadtest $command "$${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
        [[ -z $$line || $$line == :* ]] || candidates+=("$${line//$$'\\t'/:}")
    done
    if (( $${#candidates} )); then _describe wfx-loadtest candidates; else _files; fi
}
compdef _wfx_loadtest wfx-loadtest
"""
_FISH = """\
function __wfx_loadtest_candidates
    set -l words (commandline -opc) (commandline -ct)
    wfx-loadtest $command $$words[2..-1] 2>/dev/null | string match --invert --regex '^:'
end
complete -c wfx-loadtest -a '(__wfx_loadtest_candidates)'
"""
_POWERSHELL = """\
Register-ArgumentCompleter -Native -CommandName wfx-loadtest -ScriptBlock {
    param($$word, $$line, $$position)
    $$words = @($$line.CommandElements | Select-Object -Skip 1 | ForEach-Object { "$$_" })
    if (-not $$word) { $$words += "" }
    wfx-loadtest $command @words 2>$$null | Where-Object { $$_ -and $$_ -notlike ":*" } | ForEach-Object {
        $$value, $$text = $$_ -split "`t", 2
        if (-not $$text) { $$text = $$value }
        [System.Management.Automation.CompletionResult]::new($$value, $$value, "ParameterValue", $$text)
    }
}
"""
_SCRIPTS = {"bash": _BASH, "zsh": _ZSH, "fish": _FISH, "powershell": _POWERSHELL}
_EXAMPLES = """\
source <(wfx-loadtest completion bash)
wfx-loadtest completion fish > ~/.config/fish/completions/wfx-loadtest.fish"""


@click.command("completion", cls=Verb, epilog=_EXAMPLES)
@click.argument("shell", type=click.Choice(tuple(_SCRIPTS)))
@click.option("--no-descriptions", is_flag=True, help="candidates without explanations")
def completion(shell: str, *, no_descriptions: bool) -> None:
    """Print a script that completes command lines."""
    command = "__completeNoDesc" if no_descriptions or shell == "bash" else "__complete"
    click.echo(Template(_SCRIPTS[shell]).substitute(command=command), nl=False)


def _candidates_command(name: str, *, described: bool) -> click.Command:
    @click.command(name, hidden=True, add_help_option=False, context_settings={"ignore_unknown_options": True})
    @click.argument("words", nargs=-1, type=click.UNPROCESSED)
    @click.pass_context
    def candidates(context: click.Context, words: tuple[str, ...]) -> None:
        """Print what could stand in place of the last word, one candidate a line."""
        root = context.find_root()
        *before, last = words or ("",)
        found = ShellComplete(root.command, {}, root.info_name or "", "").get_completions(before, last)
        shown = [item for item in found if item.type == "plain"]
        for item in shown:
            click.echo(f"{item.value}\t{item.help}" if described and item.help else item.value)
        click.echo(_ALL_GIVEN if shown else _FILES_TOO)

    return candidates


COMMANDS = (completion, _candidates_command("__complete", described=True),
            _candidates_command("__completeNoDesc", described=False))
