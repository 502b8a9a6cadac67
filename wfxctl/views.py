"""Views: which columns jobs and workflows have, and which of them a form of the output shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from wfxctl.documents import Document, group_of, items, text
from wfxctl.tables import Column
from wfxctl.times import age, local_time, seconds_since


@dataclass(frozen=True, slots=True)
class View:
    """How documents of one kind are shown."""

    identity: Callable[[Document], str]
    """What ``--output name`` prints: what other commands take."""
    columns: tuple[Column, ...]
    """All that there are, in the order of ``wide``."""
    brief: Sequence[str] = ()
    """Names of those that a table has; all of them if there are none."""
    relative: Sequence[str] = ()
    """Names of those that are different each time, which files leave out."""
    group: Callable[[Document], str] = group_of
    """What the colour of a row follows from."""


def _ago(heading: str, member: str) -> Column:
    """Return a column that tells how long ago a time of a job was, for files in seconds."""

    def exact(job: Document) -> str:
        seconds = seconds_since(text(job, member))
        return "" if seconds is None else f"{seconds:.0f}"

    return Column(heading, lambda job: age(text(job, member)), exact=exact)


def _time(heading: str, member: str) -> Column:
    return Column(heading, lambda job: local_time(text(job, member)), 19, exact=lambda job: text(job, member))


def _words(document: Document, name: str) -> str:
    return ",".join(item for item in items(document, name) if isinstance(item, str))


def _count(document: Document, name: str) -> str:
    return str(len(items(document, name)))


JOBS = View(
    identity=lambda job: text(job, "id"),
    columns=(
        Column("ID", lambda job: text(job, "id"), 36),
        Column("CLIENT", lambda job: text(job, "clientId")),
        Column("WORKFLOW", lambda job: text(job, "workflow", "name")),
        Column("STATE", lambda job: text(job, "status", "state"), 12),
        Column("GROUP", group_of),
        Column("PROGRESS", lambda job: text(job, "status", "progress")),
        _ago("AGE", "stime"),
        _ago("CHANGED", "mtime"),
        _time("CREATED", "stime"),
        _time("MODIFIED", "mtime"),
        Column("TAGS", lambda job: _words(job, "tags")),
        Column("MESSAGE", lambda job: text(job, "status", "message")),
    ),
    brief=("id", "client", "workflow", "state", "group", "progress", "age", "changed"),
    relative=("age", "changed"),
)

WORKFLOWS = View(
    identity=lambda workflow: text(workflow, "name"),
    columns=(
        Column("NAME", lambda workflow: text(workflow, "name")),
        Column("STATES", lambda workflow: _count(workflow, "states")),
        Column("TRANSITIONS", lambda workflow: _count(workflow, "transitions")),
        Column("GROUPS", lambda workflow: ",".join(text(group, "name") for group in items(workflow, "groups"))),
        Column("DESCRIPTION", lambda workflow: text(workflow, "description")),
    ),
)
