"""``wfxctl job retry``: the same once more, as a new job."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from wfx.commandline.failures import Failure, UsageFailure
from wfx.commandline.grammar import Command
from wfxctl import bulk_options, fleet, forms, gojson, job_filters, selections, views
from wfxctl.documents import Document, items, member, text
from wfxctl.flags import COLOR, COLUMNS, JOB_ID, OUTPUT_NAME, SORT_BY
from wfxctl.invocation import ClientInvocation, decoded, encoded, job_path
from wfxctl.targets import Side

if TYPE_CHECKING:  # the HTTP library is imported when the first connection is made
    from wfxctl.client import Api

_MOST_TAGS = 16
"""Tags that a job may be created with; more are added to it."""
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
    request, further = _request(decoded(call.fetch(Side.NORTH, "GET", path, [("history", "false")])))
    api = call.api(Side.NORTH)
    created = api.fetch("POST", "/jobs", body=encoded(request))
    forms.show_body(call, _with_tags(api, created, further) if further else created, views.JOBS)
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
    again = _Again(call.api(Side.NORTH), ids)
    change = bulk_changes.creation(
        "\n".join(ids), {}, len(ids), again.line, question="retry {jobs}", asks=True,
        conditions=job_filters.names_of(call.settings), seen={**seen, "count": float(len(ids))},
        complete=again.complete,
    )  # fmt: skip
    return bulk.run(call, change)


class _Again:
    """The same jobs once more."""

    def __init__(self, api: Api, ids: list[str]) -> None:
        self._api = api
        self._ids = ids
        self._known: dict[int, str] = {}
        self._further: dict[int, list[str]] = {}
        """Tags that a job cannot be created with, by its place."""

    def line(self, place: int) -> str:
        """Read a job and encode the request for the same once more."""
        if place not in self._known:  # a part of them is asked for again, when it is created
            job = decoded(self._api.fetch("GET", job_path(self._ids[place]), [("history", "false")]))
            request, self._further[place] = _request(job)
            self._known[place] = gojson.encode(request)
        return self._known[place]

    def complete(self, first: int, results: Sequence[Document]) -> None:
        """Give jobs that were created, the first one at this place, the tags that they lack; may be done again."""
        for place, result in enumerate(results, first):
            if (tags := self._further.get(place)) and text(result, "outcome") == "created":
                _add_tags(self._api, text(result, "id"), tags)


def _with_tags(api: Api, created: str, tags: list[str]) -> str:
    """Give a job that was created the tags that it lacks, and return it with these."""
    job = decoded(created)
    job_id = text(job, "id")
    try:
        return gojson.encode({**job, "tags": decoded(_add_tags(api, job_id, tags))})
    except Failure as exc:
        raise Failure(f"{job_id} was created, but lacks the tags {', '.join(tags)}: {exc}") from exc


def _add_tags(api: Api, job_id: str, tags: list[str]) -> str:
    """Add tags, and return the answer, which has all of the job."""
    return api.fetch("POST", job_path(job_id) + "/tags", body=encoded(tags))


def _request(job: Document) -> tuple[Document, list[str]]:
    """Return the request for the same job once more, and the tags that it cannot carry."""
    client, workflow = text(job, "clientId"), text(job, "workflow", "name")
    if not client or not workflow:
        raise Failure("the answer is no job with a client and a workflow")
    request: Document = {"clientId": client, "workflow": workflow}
    if definition := member(job, "definition"):
        request["definition"] = definition
    tags = [tag for tag in items(job, "tags") if tag]  # the fleet API takes no empty one
    if tags:
        request["tags"] = tags[:_MOST_TAGS]
    return request, tags[_MOST_TAGS:]


COMMAND = Command(
    "retry",
    "Create the same job once more",
    """
    Create a new job for the client of a job, with its workflow, definition and tags, and print the id of the new one.
    The old job stays as it is, whatever state it is in. Jobs are created with 16 tags at most; further ones
    are added then.

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
