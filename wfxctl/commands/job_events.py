"""``wfxctl job events`` (cli section 7)."""

from __future__ import annotations

from wfx.commandline.failures import EXIT_FAILED
from wfx.commandline.grammar import Command
from wfx.commandline.options import Kind, Option
from wfx.commandline.terminal import neutralise
from wfxctl import gojson
from wfxctl.documents import text
from wfxctl.failures import RefusedByServer
from wfxctl.invocation import ClientInvocation, error_lines
from wfxctl.stream import Follower, Following, Opened
from wfxctl.times import local_time


def run(call: ClientInvocation) -> int | None:
    """Print events until interrupted."""
    call.pass_over_arguments("--job-id names jobs")
    how = Following(reconnect=call.settings.flag("auto-reconnect"), report=call.report_loss)
    try:
        for item in Follower(call.api(call.reading_side), _query(call), how):
            if isinstance(item, Opened):
                call.err.write("SSE connection established\n")
            else:
                _show(call, item)
    except RefusedByServer as exc:
        if call.err.is_terminal:
            raise  # people see it once
        call.err.write(error_lines(exc.body))
        explained = {"cause": exc.explanation} if exc.explanation else {}
        call.log.write(
            "error", "the server refused the event stream", status=exc.status, body=exc.body.strip(), **explained
        )
        return EXIT_FAILED
    return None


def _query(call: ClientInvocation) -> list[tuple[str, str]]:
    settings = call.settings
    since = settings.text("since")
    if not since and settings.flag("auto-reconnect"):
        since = "now"  # such a stream can be resumed; other servers ignore it
    parameters = {
        "actions": ",".join(settings.items("action")),
        "clientIds": ",".join(settings.items("client-id")),
        "jobIds": ",".join(settings.items("job-id")),
        "since": since,
        "tags": ",".join(settings.items("tag")),
        "workflows": ",".join(settings.items("workflow")),
    }
    return [(name, value) for name, value in parameters.items() if value]


def _show(call: ClientInvocation, event: str) -> None:
    if call.settings.text("output") == "json":
        call.out.json(event)
    else:
        call.out.write(_line(event) + "\n")


def _line(event: str) -> str:
    """Show local time, action, client, job, state and message of an event; what is missing is a dash."""
    try:
        document = gojson.decode(event)
    except ValueError:
        return neutralise(event)
    parts = (
        local_time(text(document, "ctime")),
        f"{text(document, 'action') or '-':<17}",
        text(document, "job", "clientId"),
        text(document, "job", "id"),
        text(document, "job", "status", "state"),
        text(document, "job", "status", "message"),
    )
    return neutralise("  ".join(part or "-" for part in parts))


COMMAND = Command(
    "events",
    "Follow what happens to jobs",
    """
    Print what happens to jobs, as it happens: one line of JSON for each event, until interrupted.
    Events of any of the named jobs, clients and workflows are shown, or all if none is named.

    With --auto-reconnect the stream is taken up again behind the last event whenever the connection is lost, also
    across restarts of the server, so that no event is missed or shown twice. Where the server cannot resume, because
    the events in between were deleted or the database is another one, the command fails.
    """,
    examples="""
    # everything, for people
    wfxctl job events --auto-reconnect --output line

    # one job, from the beginning
    wfxctl job events --job-id 5c0b3b5c-8a1e-4d9c-9d3f-2f5f3f6f7a10 --since 0

    # which jobs are created and deleted for two clients
    wfxctl job events --client-id dev7,dev8 --action create,delete
    """,
    options=(
        Option("job-id", Kind.STRINGS, "only events of these jobs"),
        Option("client-id", Kind.STRINGS, "only events of jobs of these clients"),
        Option("workflow", Kind.STRINGS, "only events of jobs that follow these workflows", names="workflow"),
        Option(
            "action",
            Kind.STRINGS,
            "only these actions: create, delete, add_tags, delete_tags, update_status, update_definition",
            suggestions=("create", "delete", "add_tags", "delete_tags", "update_status", "update_definition"),
        ),
        Option("tag", Kind.STRINGS, "labels that the server puts into each event"),
        Option(
            "since",
            Kind.STRING,
            "begin behind this event: its number or id, 0 for the oldest there is, or now",
            suggestions=("now", "0"),
        ),
        Option("auto-reconnect", Kind.BOOL, "take the stream up again when the connection is lost"),
        Option(
            "output", Kind.STRING, "form of the output; line is for people", "json", choices=("json", "line"), short="o"
        ),
    ),
    run=run,
)
