"""``wfxctl job create`` (cli section 6)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from wfx.commandline.failures import Failure, UsageFailure
from wfx.commandline.grammar import Command
from wfx.commandline.options import ANY_FILE, Kind, Option
from wfxctl import bulk_options, forms, gojson, job_inputs, suggestions, views
from wfxctl.documents import Document
from wfxctl.flags import LOOK
from wfxctl.invocation import ClientInvocation, encoded
from wfxctl.targets import Side


def run(call: ClientInvocation) -> int | None:
    """Create a job and print it, or create many."""
    if _is_many(call):
        return _many(call)
    bulk_options.refuse_without_many(call, "--file or --clients-from")
    body: dict[str, Any] = {"clientId": call.settings.text("client-id"), "workflow": call.settings.text("workflow")}
    if definition := _definition(call):
        body["definition"] = definition
    tags = call.settings.items("tag")
    if tags not in ([], [""]):  # a single empty one is how scripts say "none": --tag "$TAG"
        body["tags"] = tags
    forms.check(call, views.JOBS)
    with suggestions.for_name(call, "workflow", call.settings.text("workflow")):
        forms.show_body(call, call.fetch(Side.NORTH, "POST", "/jobs", body=encoded(body)), views.JOBS)
    return None


def _is_many(call: ClientInvocation) -> bool:
    return any(call.settings.is_flag(name) for name in ("file", "clients-from"))


def _many(call: ClientInvocation) -> int:
    from wfxctl import bulk, bulk_changes  # only commands for many need them

    settings = call.settings
    if forms.form_of(call) != "json" or settings.text("sort-by"):
        raise UsageFailure("of many jobs the counts are printed, as JSON; --results FILE has a row for each")
    common, jobs = _listed(call)
    if workflow := settings.text("workflow"):
        common["workflow"] = workflow
    if tags := [tag for tag in settings.items("tag") if tag]:
        common["tags"] = [*common.get("tags", ()), *tags]
    if call.arguments and (definition := _definition(call)):
        common["definition"] = definition
    if "workflow" not in common:
        for number, job in enumerate(jobs, 1):
            if "workflow" not in job:
                raise UsageFailure(f"job {number} names no workflow: give --workflow for all that do not")
    lines = [gojson.encode(job) for job in jobs]
    workflows = list(dict.fromkeys(str(job.get("workflow") or common.get("workflow", "")) for job in jobs))
    change = bulk_changes.creation("\n".join(lines), common, len(lines), lines.__getitem__, workflows=workflows)
    return bulk.run(call, change)


def _listed(call: ClientInvocation) -> tuple[Document, list[Document]]:
    """Return what the jobs of the file have in common, and the jobs. Raises Failure."""
    file, clients = call.settings.text("file"), call.settings.text("clients-from")
    if file and clients:
        raise UsageFailure("--file and --clients-from exclude each other")
    name = file or clients
    if not name:
        raise UsageFailure("the name of the file is empty")
    if call.settings.is_flag("client-id"):
        raise UsageFailure("--client-id is for one job; the file says whose jobs these are")
    if name == "-" and call.arguments[:1] == ["-"]:
        raise UsageFailure("standard input is either the definition or the list")
    if (results := call.settings.text("results")) and Path(results).resolve() == Path(name).resolve():
        raise UsageFailure(f"--results {results} is the file that is read: it would be written over")
    content = call.read_standard_input() if name == "-" else call.read(name)
    found = job_inputs.jobs(name, content) if file else ({}, job_inputs.clients(name, content))
    if not found[1]:
        raise Failure(f"{name} has no jobs" if file else f"{name} has no clients")
    return found


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
    "Create a job, or many",
    """
    Create a job for a client. The definition is a JSON object, read from FILE, or from standard input when FILE is -.
    Prints the new job.

    With --clients-from, create the same job for each client of a list, one a line. With --file, create the jobs of a
    file: NDJSON with a job a line, or JSON or YAML with a list of them, or with workflow, definition and tags of all
    and a list named jobs. A job has clientId, and may have workflow, definition, tags, and variables that are merged
    into the definition. --workflow, --tag and the definition count for all jobs that do not say otherwise.

    They are created in parts of 500. --dry-run has the server check them all: failed tells how many name a workflow
    that does not exist, which come first in what it prints, and the exit code is 6 if any does. See wfxctl job
    update-status for what else there is to say about many.
    """,
    usage="[FILE|-]",
    examples="""
    # a job without a definition
    wfxctl job create --client-id dev7 --workflow wfx.workflow.dau.direct

    # a job with a definition and two tags; print its id alone
    echo '{"version":"2.0"}' | wfxctl job create --client-id dev7 --workflow wfx.workflow.dau.direct \\
        --tag lab --tag europe -o name -

    # the same job for all clients of a list; keep the ids
    printf '%s\\n' dev7 dev8 | wfxctl job create --workflow wfx.workflow.dau.direct --tag rollout-7 \\
        --clients-from - --results created.csv definition.json

    # each client's own job
    echo '{"clientId": "dev7", "definition": {"version": "2.0"}}' > jobs.ndjson
    wfxctl job create -f jobs.ndjson --workflow wfx.workflow.dau.direct
    """,
    options=(
        Option("client-id", Kind.STRING, "the client that the job is for"),
        Option("workflow", Kind.STRING, "name of the workflow that the job follows", names="workflow"),
        Option("tag", Kind.STRING_ARRAY, "a tag of the job; may be repeated"),
        Option(
            "file",
            Kind.STRING,
            "create the jobs of this file, or of standard input when it is -",
            short="f",
            extensions=job_inputs.ENDINGS,
        ),
        Option(
            "clients-from",
            Kind.STRING,
            "create a job for each client of this file, or of standard input when it is -",
            extensions=ANY_FILE,
        ),
        *bulk_options.CREATION_OPTIONS,
        *LOOK,
    ),
    run=run,
    extensions=("json",),
)
