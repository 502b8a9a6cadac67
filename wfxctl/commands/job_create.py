"""``wfxctl job create`` (cli section 6)."""

from __future__ import annotations

from typing import Any

from wfx.commandline.failures import Failure, UsageFailure
from wfx.commandline.grammar import Command
from wfx.commandline.options import Kind, Option
from wfxctl import forms, gojson, suggestions, views
from wfxctl.flags import LOOK
from wfxctl.invocation import ClientInvocation, encoded
from wfxctl.targets import Side


def run(call: ClientInvocation) -> None:
    """Create a job and print it."""
    body: dict[str, Any] = {"clientId": call.settings.text("client-id"), "workflow": call.settings.text("workflow")}
    if definition := _definition(call):
        body["definition"] = definition
    tags = call.settings.items("tag")
    if tags not in ([], [""]):  # a single empty one is how scripts say "none": --tag "$TAG"
        body["tags"] = tags
    forms.check(call, views.JOBS)
    with suggestions.for_name(call, "workflow", call.settings.text("workflow")):
        forms.show_body(call, call.fetch(Side.NORTH, "POST", "/jobs", body=encoded(body)), views.JOBS)


def _definition(call: ClientInvocation) -> dict[str, Any] | None:
    if len(call.arguments) > 1:
        raise UsageFailure(f"one definition at most, but there are {len(call.arguments)} arguments")
    if not call.arguments:
        call.log.write("warn", "no definition was given: the job is created without one")
        return None
    name = call.arguments[0]
    content = call.read_standard_input() if name == "-" else call.read(name)
    try:
        definition = gojson.decode(content)
    except ValueError as exc:
        raise Failure(f"the definition is not JSON: {exc}") from exc
    if not isinstance(definition, dict | None):
        raise Failure("the definition must be a JSON object")
    return definition


COMMAND = Command(
    "create",
    "Create a job",
    """
    Create a job for a client. The definition is a JSON object, read from FILE, or from standard input when FILE is -.
    Prints the new job.
    """,
    usage="[FILE|-]",
    examples="""
    # a job without a definition
    wfxctl job create --client-id dev7 --workflow wfx.workflow.dau.direct

    # a job with a definition and two tags; print its id alone
    echo '{"version":"2.0"}' | wfxctl job create --client-id dev7 --workflow wfx.workflow.dau.direct \\
        --tag lab --tag europe -o name -
    """,
    options=(
        Option("client-id", Kind.STRING, "the client that the job is for"),
        Option("workflow", Kind.STRING, "name of the workflow that the job follows", names="workflow"),
        Option("tag", Kind.STRING_ARRAY, "a tag of the job; may be repeated"),
        *LOOK,
    ),
    run=run,
    extensions=("json",),
)
