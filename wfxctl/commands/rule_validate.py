"""``wfxctl rule validate``."""

from __future__ import annotations

from wfx.commandline.failures import EXIT_FAILED, EXIT_OK, UsageFailure
from wfx.commandline.grammar import Command
from wfx.commandline.options import Kind, Option
from wfx.commandline.terminal import neutralise
from wfxctl.invocation import ClientInvocation

_STRICT = Option(
    "sandbox-expression-strict-mode", Kind.BOOL,
    "check as a server with this option does: only functions that strict mode allows may be called",
)  # fmt: skip


def run(call: ClientInvocation) -> int:
    """Say of each file whether its rules can be used."""
    from wfxctl import rule_files  # only few commands need it

    if not call.arguments:
        raise UsageFailure("rule file missing")
    code, strict = EXIT_OK, call.settings.flag(_STRICT.name)
    for name in call.arguments:
        try:
            graph = rule_files.load(call, name, strict=strict)
        except rule_files.FaultyRules:
            code = EXIT_FAILED
        else:
            many = f"{len(graph.scenarios)} scenario{'s' * (len(graph.scenarios) != 1)}"
            call.out.write(f"{neutralise(name)} : OK ({many})\n")
            from wfx.rules.graph import scenarios_with  # with the language of rules, which is loaded by now

            for scenario in scenarios_with(graph, "run_script"):
                text = f"scenario {scenario} runs a script, which only a server with --enable-scripts does"
                call.err.write(f"WARNING: {neutralise(f'{name}: {text}')}\n")
    return code


COMMAND = Command(
    "validate",
    "Check rule files offline",
    """
    Check rule files, without a server. Says for each file "FILE : OK", or for each fault "ERROR: FILE:LINE:COLUMN: "
    and what is wrong. The exit code is 1 if a file has faults or cannot be read. Scenarios that run scripts are named
    in warnings, since a server may have these off.
    """,
    usage="FILE... | -",
    examples="""
    # check one file
    wfxctl rule validate rules.yml

    # check all, and list what is wrong
    wfxctl rule validate *.yml | grep ERROR

    # check for a server in strict mode
    wfxctl rule validate rules.yml --sandbox-expression-strict-mode
    """,
    options=(_STRICT,),
    run=run,
    configured=False,
    extensions=("yaml", "yml"),
)
