"""``wfxctl job retry``: the same once more, as a new job."""

from __future__ import annotations

from collections.abc import Callable

from wfx.commandline.failures import Failure, UsageFailure
from wfx.commandline.grammar import Command
from wfxctl import bulk_options, fleet, forms, gojson, job_filters, selections, views
from wfxctl.documents import Document, items, member, text
from wfxctl.flags import COLOR, COLUMNS, JOB_ID, OUTPUT_NAME, SORT_BY
from wfxctl.invocation import ClientInvocation, decoded, encoded, job_path
from wfxctl.targets import Side

_SHOWN = 20
"""Jobs that a dry run shows, as the server does for other commands."""


def run(call: ClientInvocation) -> int | None:
    """Create a job for the same client, with the same workflow, definition and tags; or one for each of many."""
    if selections.given(call.settings, selections.OPTIONS):
        return _many(call)
    bulk_options.refuse_without_many(call, "a selection, such as --tag or --group")
    path = job_path(call.subject("id", "job id"))
    forms.check(call, views.JOBS)
    # Read where the new job is created, so that one API suffices.
    job = decoded(call.fetch(Side.NORTH, "GET", path, [("history", "false")]))
    body = encoded(_request(job))
    created = call.fetch(Side.NORTH, "POST", "/jobs", body=body)
    forms.show_body(call, created, views.JOBS)
    return None


def _many(call: ClientInvocation) -> int:
    from wfxctl import bulk, bulk_changes  # only commands for many need them

    if call.arguments or call.settings.is_flag("id"):
        raise UsageFailure("a job id and a selection exclude each other")
    if any(call.settings.is_flag(name) for name in ("output", "columns", "sort-by")):
        raise UsageFailure("of many jobs the counts are printed, as JSON; --results FILE has a row for each")
    selection = selections.parameters_of(call.settings, bulk_changes.moment(call))
    ids, seen = list[str](), Document()
    for page, rows in fleet.pages_of(call, "/jobs", selection):
        ids += [text(row, "id") for row in rows]
        seen = {"position": text(page, "position"), "items": seen.get("items") or rows[:_SHOWN]}
    change = bulk_changes.creation(
        "\n".join(ids), {}, len(ids), _reader(call, ids), question="retry {jobs}", asks=True,
        conditions=job_filters.names_of(call.settings), seen={**seen, "count": float(len(ids))},
    )  # fmt: skip
    return bulk.run(call, change)


def _reader(call: ClientInvocation, ids: list[str]) -> Callable[[int], str]:
    """Return what reads a job and encodes the request for the same once more."""
    api, known = call.api(Side.NORTH), dict[int, str]()

    def line(number: int) -> str:
        if number not in known:  # a part of them is asked for again, when it is created
            job = decoded(api.fetch("GET", job_path(ids[number]), [("history", "false")]))
            known[number] = gojson.encode(_request(job))
        return known[number]

    return line


def _request(job: Document) -> Document:
    client, workflow = text(job, "clientId"), text(job, "workflow", "name")
    if not client or not workflow:
        raise Failure("the answer is no job with a client and a workflow")
    request: Document = {"clientId": client, "workflow": workflow}
    if definition := member(job, "definition"):
        request["definition"] = definition
    if tags := [tag for tag in items(job, "tags") if tag]:  # the fleet API takes no empty one
        request["tags"] = tags
    return request


COMMAND = Command(
    "retry",
    "Create the same job once more",
    """
    Create a new job for the client of a job, with its workflow, definition and tags, and print the id of the new one.
    The old job stays as it is, whatever state it is in.

    With conditions in place of an id, do so for all jobs that meet them; see wfxctl job update-status for what else
    there is to say about many.
    """,
    usage="[ID]",
    examples="""
    # once more
    wfxctl job retry 5c0b3b5c-8a1e-4d9c-9d3f-2f5f3f6f7a10

    # all failed jobs of a rollout
    wfxctl job retry --tag rollout-7 --group FAILED --yes
    """,
    options=(JOB_ID, *selections.OPTIONS, *bulk_options.OPTIONS, OUTPUT_NAME, COLUMNS, SORT_BY, COLOR),
    run=run,
)
