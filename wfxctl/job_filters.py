"""Conditions on jobs, as several commands take them and the API reads them."""

from __future__ import annotations

from wfx.commandline.options import Kind, Option, Settings

OPTIONS = (
    Option("client-id", Kind.STRING, "only jobs of this client"),
    Option("state", Kind.STRING, "only jobs in this state", names="state"),
    Option("workflow", Kind.STRING, "only jobs that follow this workflow", names="workflow"),
    Option("group", Kind.STRINGS, "only jobs whose state is in one of these groups", names="group"),
    Option("tag", Kind.STRINGS, "only jobs that have one of these tags"),
)


def conditions_of(settings: Settings) -> list[tuple[str, str]]:
    """Return the parameters for the conditions that are set."""
    conditions = [
        ("clientId", settings.text("client-id")),
        ("group", ",".join(settings.items("group"))),
        ("state", settings.text("state")),
        ("tag", ",".join(settings.items("tag"))),
        ("workflow", settings.text("workflow")),
    ]
    return [(name, value) for name, value in conditions if value]


def names_of(settings: Settings) -> dict[str, str | list[str]]:
    """Return the names of workflows, states and groups among the conditions."""
    return {"workflow": settings.text("workflow"), "state": settings.text("state"), "group": settings.items("group")}
