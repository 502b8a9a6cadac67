"""The types of actions of this package."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from wfx.commandline.grammar import closest
from wfx.expressions.values import shown
from wfx.mail_address import is_address
from wfx.rules.action_types import ActionTypes, ParameterFault, Parameters, Plan, installed, table
from wfx.rules.declared_action import DeclaredAction, Form, Parameter
from wfx.rules.event import Event
from wfx.rules.step_types import Steps

WEBHOOK_NOTIFY, MAIL, RUN_SCRIPT, RUN_STEP = "webhook_notify", "mail", "run_script", "run_step"
"""The types that are done later, as tasks of these kinds."""
TASKS = (WEBHOOK_NOTIFY, MAIL, RUN_SCRIPT, RUN_STEP)
SET_OUTPUT = "set_output"
"""The one type whose parameter sets variables."""


def _job_of(event: Event) -> Any:
    return event.payload.get("job_id")


def _wrong_url(text: str) -> str:
    try:
        parts = urlsplit(text)
        is_usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_usable = False
    return "" if is_usable else "an address such as https://hooks.example.com/wfx is needed"


def _wrong_recipient(text: str) -> str:
    return "" if is_address(text) else f"{text[:100]!a} is no address such as night-shift@example.com"


def _body_of(event: Event) -> Any:
    return event.members | {"payload": event.payload, "meta": event.meta}


def _points(planned: Mapping[str, Any]) -> str:
    done, whom = ("Awarded", "to") if planned["operation"] == "award" else ("Deducted", "from")
    reason = f" — {planned['reason']}" if "reason" in planned else ""
    return f"{done} {shown(planned['points'])} points {whom} {planned['actor_id']}{reason}"


_JOB = Parameter("job_id", Form.TEXT, "The job; that of the event unless given.", required=True, default=_job_of)
_TAGS = Parameter("tags", Form.TEXTS, "The tags.", required=True)
_STATE = Parameter("state", Form.TEXT, "The state to enter, as `WFX`.", required=True)

_OF_RUNS = (
    Parameter(
        "payload", Form.ANY, "What it is given; the payload of the event unless given.",
        default=lambda event: event.payload,
    ),
    Parameter("data", Form.OBJECT, "Facts, which it sees beside it; a script as `nflow_data`."),
    Parameter("job_id", Form.TEXT, "The job that it moves; that of the event unless given.", default=_job_of),
    Parameter(
        "state", Form.TEXT, "The state that the job must still be in; that which the event tells unless given.",
        default=lambda event: event.payload.get("to"),
    ),
)  # fmt: skip


class SetOutput:
    """Sets a variable: its expression is a call of ``flw.setOutput`` or its like, which the evaluation carries out."""

    type = SET_OUTPUT
    summary = "Sets a variable for what follows."
    parameters = (
        Parameter("expression", Form.TEXT, 'A call such as `flw.setOutput("tier", payload.tier)`.', required=True),
    )

    def validate(self, parameters: Parameters) -> Iterator[ParameterFault]:
        """Yield what is wrong with the parameters in a file, but for the expression itself."""
        return DeclaredAction(self.type, self.summary, self.parameters, str).validate(parameters)

    def plan(self, parameters: Parameters, event: Event) -> Plan:  # noqa: ARG002 - the variable is set already
        """Return the expression, and the value that it gave."""
        return Plan(parameters, f"Evaluated {parameters['expression']}")


OWN: tuple[DeclaredAction | SetOutput, ...] = (
    DeclaredAction(
        "create_job", "Creates a job.",
        (
            Parameter("client_id", Form.TEXT, "The device.", required=True),
            Parameter("workflow", Form.TEXT, "The name of the workflow.", required=True),
            Parameter("definition", Form.OBJECT, "The definition."),
            Parameter("tags", Form.TEXTS, "The tags."),
        ),
        lambda planned: f"Created a job of {planned['workflow']} for {planned['client_id']}",
    ),
    DeclaredAction(
        "add_tags", "Adds tags to a job.", (_TAGS, _JOB),
        lambda planned: f"Added {', '.join(planned['tags'])} to job {planned['job_id']}",
    ),
    DeclaredAction(
        "delete_tags", "Removes tags from a job.", (_TAGS, _JOB),
        lambda planned: f"Removed {', '.join(planned['tags'])} from job {planned['job_id']}",
    ),
    DeclaredAction(
        "update_status", "Moves a job to another state, as `WFX`.",
        (_STATE, Parameter("message", Form.TEXT, "The message of the status."), _JOB),
        lambda planned: f"Moved job {planned['job_id']} to {planned['state']}",
    ),
    DeclaredAction(
        "update_definition", "Replaces the definition of a job.",
        (Parameter("definition", Form.OBJECT, "The definition.", required=True), _JOB),
        lambda planned: f"Replaced the definition of job {planned['job_id']}",
    ),
    DeclaredAction(
        "reward_points", "Changes the points of an actor.",
        (
            Parameter("operation", Form.TEXT, "What to do.", required=True, choices=("award", "deduct")),
            Parameter("points", Form.NUMBER, "How many; `points_formula` calculates them.", required=True),
            Parameter("reason", Form.TEXT, "Why; it is kept with the points."),
            Parameter(
                "actor_id", Form.TEXT, "Whose; the event's unless given.", required=True,
                default=lambda event: event.actor_id,
            ),
        ),
        _points,
    ),
    DeclaredAction(
        WEBHOOK_NOTIFY, "Sends a JSON document to an address.",
        (
            Parameter("url", Form.TEXT, "The address.", required=True, check=_wrong_url),
            Parameter("body", Form.ANY, "The document; the event unless given.", default=_body_of),
        ),
        lambda planned: f"Notified {urlsplit(planned['url']).hostname}",
    ),
    DeclaredAction(
        MAIL, "Sends a mail.",
        (
            Parameter("to", Form.TEXTS, "The addresses.", required=True, check=_wrong_recipient),
            Parameter("subject", Form.TEXT, "The subject.", required=True),
            Parameter("text", Form.TEXT, "The text.", required=True),
        ),
        lambda planned: f"Sent a mail to {', '.join(planned['to'])}",
    ),
    DeclaredAction(
        RUN_SCRIPT, "Runs a script, and does what it returns.",
        (Parameter("script", Form.TEXT, "The name of the script.", required=True), *_OF_RUNS),
        lambda planned: f"Ran the script {planned['script']}",
    ),
    DeclaredAction(
        RUN_STEP, "Runs a step of an installed package, and does what it returns.",
        (Parameter("step", Form.TEXT, "The name of the step.", required=True), *_OF_RUNS),
        lambda planned: f"Ran the step {planned['step']}",
    ),
    SetOutput(),
)  # fmt: skip
"""The table."""


def own_actions() -> ActionTypes:
    """Return the types of this package alone."""
    return table(OWN)


def all_actions(steps: Steps) -> ActionTypes:
    """Return the types of this package, for which these steps are there, and of those that are installed.

    Raises ValueError.
    """
    known = Parameter("step", Form.TEXT, "The name of the step.", required=True, check=partial(_unknown_step, steps))
    own = [
        replace(one, parameters=(known, *_OF_RUNS)) if isinstance(one, DeclaredAction) and one.type == RUN_STEP else one
        for one in OWN
    ]
    return installed(own, [one.type for one in OWN if one.type != SET_OUTPUT])


def _unknown_step(steps: Steps, name: str) -> str:
    """Return what is wrong with the name of a step, or nothing."""
    if name in steps:
        return ""
    hint = closest(name, list(steps)) if steps else ": no installed package has steps"
    return f'there is no step "{name[:100]}"{hint}'
