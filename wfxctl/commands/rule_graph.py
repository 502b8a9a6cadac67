"""``wfxctl rule graph``."""

from __future__ import annotations

from wfx.commandline.failures import UsageFailure
from wfx.commandline.grammar import Command
from wfx.commandline.options import Kind, Option
from wfxctl.invocation import ClientInvocation


def run(call: ClientInvocation) -> None:
    """Print the rules of a file as a graph."""
    from wfx.rules import drawing  # slow to import, as all of the rules
    from wfxctl import rule_files  # only few commands need it

    if len(call.arguments) != 1:
        raise UsageFailure("one rule file is needed")
    graph = rule_files.load(call, call.arguments[0])
    match call.settings.text("format"):
        case "json":
            call.show_value(drawing.as_document(graph))
        case "fbp":
            call.out.write(drawing.fbp(graph))
        case _:
            call.out.write(drawing.mermaid(graph))


COMMAND = Command(
    "graph",
    "Print rules as a graph",
    """
    Print the scenarios, conditions and actions of a rule file as a graph, with the way of requests and events through
    the service to them and back: for Mermaid, or as nodes and connections in JSON (as NoFlo reads them) or in the
    language FBP. Needs no server.
    """,
    usage="FILE",
    examples="""
    # a drawing for a page in Markdown
    wfxctl rule graph rules.yml

    # what leads to what
    wfxctl rule graph rules.yml --format json --filter '.connections[] | .src.process + " -> " + .tgt.process' --raw
    """,
    options=(Option("format", Kind.STRING, "form of the graph", "mermaid", choices=("mermaid", "json", "fbp")),),
    run=run,
    configured=False,
    extensions=("yaml", "yml"),
)
