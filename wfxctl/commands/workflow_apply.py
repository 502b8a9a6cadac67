"""``wfxctl workflow apply``: store what is not stored yet."""

from __future__ import annotations

from collections.abc import Iterator

from wfx.commandline.failures import Failure, UsageFailure
from wfx.commandline.grammar import Command
from wfx.commandline.options import ANY_FILE, Kind, Option
from wfx.commandline.terminal import neutralise
from wfxctl import workflow_file, workflow_inputs
from wfxctl.documents import Document
from wfxctl.failures import EXIT_DIFFERS, RefusedByServer
from wfxctl.invocation import ClientInvocation, decoded, encoded, segment
from wfxctl.targets import Side
from wfxctl.workflow_file import Source


def run(call: ClientInvocation) -> int | None:
    """Check all files first; then create the workflows that are missing, and compare the others."""
    names = [*call.settings.items("file"), *call.arguments]
    if not names:
        raise UsageFailure("workflow file missing: give -f FILE or -f DIRECTORY")
    outcomes = [_apply(call, source) for source in _checked(call, names)]
    return EXIT_DIFFERS if "differs" in outcomes else None


def _checked(call: ClientInvocation, names: list[str]) -> list[Source]:
    """Read all files. Raises Failure unless all of them hold valid workflows with different names."""
    from wfxctl import workflow_check  # imports codecs that most commands do not need

    sources: list[Source] = []
    faults: list[str] = []
    for source in workflow_inputs.read_all(call, names):
        faults += source if isinstance(source, list) else workflow_check.faults(source)
        sources += [] if isinstance(source, list) else [source]
    first: dict[str, str] = {}
    for source in sources:
        before = first.setdefault(source.document["name"], source.name)
        if before != source.name:
            faults.append(f'{source.name}: the workflow "{source.document["name"]}" is in {before} too')
    for fault in faults:
        call.err.write(f"ERROR: {neutralise(fault)}\n")
    if faults:
        raise Failure("nothing was applied, because of what is wrong above")
    return sources


def _apply(call: ClientInvocation, source: Source) -> str:
    name = source.document["name"]
    stored = _stored(call, name)
    if stored is None:
        call.fetch(Side.NORTH, "POST", "/workflows", body=encoded(source.document))
        outcome, parts = "created", ""
    else:
        parts = ", ".join(_differences(source.document, stored))
        outcome = "differs" if parts else "unchanged"
    call.out.write(neutralise(f"{name} {outcome}" + (f" ({parts})" if parts else "")) + "\n")
    return outcome


def _stored(call: ClientInvocation, name: str) -> Document | None:
    try:
        body = call.fetch(Side.NORTH, "GET", "/workflows/" + segment(name))
    except RefusedByServer as exc:
        if exc.status == 404:
            return None
        raise
    return workflow_file.normal(decoded(body))


def _differences(wanted: Document, stored: Document) -> Iterator[str]:
    """Yield the members that are not the same."""
    for member in ("description", "states", "transitions", "groups"):
        if wanted.get(member) != stored.get(member):
            yield member


COMMAND = Command(
    "apply",
    "Store workflows that are not stored yet",
    """
    Store the workflows of files, and of the files in directories, unless they are stored already. Says of each whether
    it was created, is unchanged, or differs from the stored one of the same name, and in what. Stored workflows never
    change: one that differs needs a new name. All files are checked first, and if there is anything wrong, nothing is
    stored.

    Exit codes: 0 all are stored as they are in the files, 5 at least one differs, 1 anything else.
    """,
    usage="[FILE|DIRECTORY]...",
    examples="""
    # all workflows of a directory
    wfxctl workflow apply -f workflows/

    # some files
    wfxctl workflow apply -f lamp.yml -f workflows/kanban.yml
    """,
    options=(
        Option(
            "file",
            Kind.STRING_ARRAY,
            "a file, or a directory of files; may be repeated",
            short="f",
            extensions=ANY_FILE,
        ),
    ),
    run=run,
    extensions=workflow_inputs.ENDINGS,
)
