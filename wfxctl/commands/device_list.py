"""``wfxctl device list``: which devices there are, page by page."""

from __future__ import annotations

from wfx.commandline.failures import UsageFailure
from wfx.commandline.grammar import Command
from wfx.commandline.options import Kind, Option
from wfxctl import fleet, forms, selections
from wfxctl.devices import DEVICES
from wfxctl.flags import LOOK_TABLE
from wfxctl.invocation import ClientInvocation


def run(call: ClientInvocation) -> None:
    """Print the devices that match."""
    if call.arguments:
        raise UsageFailure(f'wfxctl device list takes no arguments, but was given "{call.arguments[0]}"')
    forms.check(call, DEVICES)
    selections.refuse_empty(call.settings, _CONDITIONS)
    conditions = _conditions(call)
    first = fleet.first_rows(call, "/devices", conditions, call.settings.number("limit"), ahead=False)
    forms.show(call, {"content": first.rows}, DEVICES)
    if forms.is_counted(call) and first.has_more is not False:
        count, is_all = fleet.count_rows(call, "/devices", conditions)
        forms.tell_counted(call, len(first.rows), count, is_all=is_all)


def _conditions(call: ClientInvocation) -> list[tuple[str, str]]:
    settings = call.settings
    conditions = [
        ("attribute", ",".join(map(_pair, settings.items("attribute")))),
        ("clientIdPrefix", settings.text("prefix")),
        ("filter", settings.text("where")),
        ("label", ",".join(settings.items("label"))),
        ("notSeenFor", _duration(settings.text("not-seen-for"))),
        ("sort", settings.text("sort")),
        ("version", settings.text("device-version")),
    ]
    return [(name, value) for name, value in conditions if value]


def _pair(attribute: str) -> str:
    """Write an attribute as the server reads it. Raises UsageFailure."""
    name, equals, value = attribute.partition("=")
    if not (name and equals and value):
        raise UsageFailure(f'--attribute "{attribute}" should be NAME=VALUE')
    return f"{name}:{value}"


def _duration(text: str) -> str:
    """Write an age as servers of all releases read it. Raises UsageFailure."""
    if text.startswith("P") or not text:
        return text
    try:
        seconds = selections.seconds(text)
    except ValueError as exc:
        raise UsageFailure(f"--not-seen-for: {exc}") from exc
    return f"PT{seconds:f}S"


_CONDITIONS = (
    Option("prefix", Kind.STRING, "only devices whose client ids begin with this"),
    Option("label", Kind.STRINGS, "only devices that have each of these labels"),
    Option("attribute", Kind.STRINGS, "only devices that have each of these attributes, as NAME=VALUE"),
    Option(
        "not-seen-for", Kind.STRING, "only devices that were not seen for so long, or never, such as 2d, 12h or 45m"
    ),
    Option("device-version", Kind.STRING, "only devices that say that they are this"),
    Option("where", Kind.STRING, "only devices for which this expression is true, such as 'currentJob == null'"),
)
COMMAND = Command(
    "list",
    "List devices",
    """
    List devices by their client ids: those that jobs were created for, that have asked or reported something, or that
    were given attributes or labels. All conditions must hold. The server needs the fleet API.

    --where takes an expression over what --output json shows of a device (--filter is a jq program on the result): its
    members, such as version, labels, attributes.site and lastResult.group; == != contains matches in AND OR NOT; and
    functions of times, texts and numbers. docs/fleet.md has the language.

    When a device was seen is written down by the server some seconds later.
    """,
    examples="""
    # what is silent
    wfxctl device list --not-seen-for 24h

    # the canaries of a hall
    wfxctl device list --label canary --attribute site=hall1

    # the canaries whose last job failed, and that have no other one
    wfxctl device list --where 'labels contains "canary" AND lastResult.group == "FAILED" AND currentJob == null'

    # what is in one of two halls and has not got the new version yet
    wfxctl device list --where 'attributes.site in ["hall1", "hall2"] AND NOT (version matches "^SWUpdate 2026")'

    # the client ids of all presses, for a script
    wfxctl device list --prefix press- --limit 0 -o name
    """,
    options=(
        *_CONDITIONS,
        Option("limit", Kind.INT32, "how many devices at most; 0 means all", 100),
        Option("sort", Kind.STRING, "sort order", "asc", choices=("asc", "desc")),
        *LOOK_TABLE,
    ),
    run=run,
)
