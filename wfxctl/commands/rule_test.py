"""``wfxctl rule test``."""

from __future__ import annotations

from datetime import UTC, datetime

from wfx.commandline.failures import UsageFailure
from wfx.commandline.grammar import Command
from wfx.commandline.options import ANY_FILE, Kind, Option
from wfxctl.invocation import ClientInvocation


def run(call: ClientInvocation) -> None:
    """Show what an event would bring about."""
    from wfx.expressions.scope import KnownFacts  # slow to import, as all of the rules
    from wfx.rules.evaluation import evaluate
    from wfxctl import rule_files  # only few commands need it

    if len(call.arguments) != 1:
        raise UsageFailure("one rule file is needed")
    event = rule_files.read_event(call)
    graph = rule_files.load(call, call.arguments[0])
    found = evaluate(graph, event, KnownFacts(), datetime.now(UTC))
    call.show_value(rule_files.evaluation_document(graph, event, found))


COMMAND = Command(
    "test",
    "Show what rules would do for an event",
    """
    Evaluate an event by the rules of a file, without a server and without any effect. Shows for each scenario which
    conditions were looked at and whether they hold, and the actions that would be taken with their parameters. Scores
    are 0, sequences are at their beginning, and there are no users.
    """,
    usage="FILE",
    examples="""
    # an event on the command line
    wfxctl rule test rules.yml --event '{"type": "transaction", "payload": {"amount": 1500}}'

    # an event in a file, and only which actions there are
    wfxctl rule test rules.yml --event event.json --filter '.scenarios[].actions[]?.action_id' --raw
    """,
    options=(
        Option("event", Kind.STRING, "the event: a JSON object, a file with one, or - for standard input",
               extensions=ANY_FILE),
    ),
    run=run,
    configured=False,
    extensions=("yaml", "yml"),
)  # fmt: skip
