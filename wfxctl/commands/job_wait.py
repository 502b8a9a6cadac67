"""``wfxctl job wait``: until a job is where it should be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wfx.commandline import durations
from wfx.commandline.failures import Failure, UsageFailure
from wfx.commandline.grammar import Command, closest
from wfx.commandline.options import Kind, Option
from wfxctl.documents import items, member, text, words
from wfxctl.failures import EXIT_HOPELESS, EXIT_TIMEOUT, RefusedByServer
from wfxctl.flags import JOB_ID
from wfxctl.invocation import ClientInvocation, decoded, job_path
from wfxctl.stream import Follower, Following, Opened, fetch_patiently

if TYPE_CHECKING:  # the HTTP library is imported when the first connection is made
    from wfxctl.client import Api


@dataclass(frozen=True, slots=True)
class Goal:
    """What is waited for: any of these states, or a state of any of these groups."""

    states: frozenset[str]
    groups: frozenset[str]
    wording: str

    def within(self, workflow: Any) -> frozenset[str]:
        """Return the states of the workflow that the goal means."""
        found: set[str] = set()
        for group in reversed(items(workflow, "groups")):  # the first group that lists a state counts
            states = words(group, "states")
            found = found | states if text(group, "name") in self.groups else found - states
        return frozenset(found | (self.states & {text(state, "name") for state in items(workflow, "states")}))

    def hint(self, workflow: Any) -> str:
        """Return which name of the workflow may have been meant instead of one that it does not have, or nothing."""
        for wanted, part in ((self.states, "states"), (self.groups, "groups")):
            known = [text(one, "name") for one in items(workflow, part)]
            for name in sorted(wanted.difference(known)):
                return closest(name, known)
        return ""


def run(call: ClientInvocation) -> None:
    """Wait, and print the status that the job has then."""
    from wfxctl import deadline  # few commands need it

    job_id = call.subject("id", "job id")
    path = job_path(job_id, EXIT_HOPELESS)
    goal = _goal(call.settings.items("for"))
    limit = call.settings.seconds("timeout")
    if limit < 0:
        raise UsageFailure("--timeout must not be negative")
    reached = deadline.begin(lambda: _reached(call, job_id, path, goal))
    try:
        status = reached(limit or None)
    except TimeoutError:
        raise Failure(f"{goal.wording} was not reached within {durations.show(limit)}", EXIT_TIMEOUT) from None
    call.show_value(status)


def _goal(conditions: Sequence[str]) -> Goal:
    wanted: dict[str, set[str]] = {"state": set(), "group": set()}
    for condition in conditions:
        kind, assigned, name = condition.partition("=")
        if kind not in wanted or not assigned or not name:
            raise UsageFailure(f'--for must be state=NAME or group=NAME, not "{condition}"')
        wanted[kind].add(name)
    if not conditions:
        raise UsageFailure("condition missing: give --for state=NAME or --for group=NAME")
    return Goal(frozenset(wanted["state"]), frozenset(wanted["group"]), " or ".join(conditions))


def _reached(call: ClientInvocation, job_id: str, path: str, goal: Goal) -> Any:
    """Listen first and look then, so that nothing is missed in between; and look again after each reconnection."""
    api = call.api(call.reading_side)
    workflow: Any = None
    how = Following(reconnect=True, patient=True, report=call.report_loss)
    for item in Follower(api, [("jobIds", job_id), ("since", "now")], how):
        if not isinstance(item, Opened):
            event = decoded(item)
            if text(event, "action") == "DELETE":
                raise Failure("the job was deleted", EXIT_HOPELESS)
            job = member(event, "job")
        elif item.status == 200:
            job = _read_job(api, path)
            workflow = member(job, "workflow")
        else:
            continue
        state = text(job, "status", "state")
        if state and _is_reached(state, workflow, goal):
            return member(job, "status")
    raise AssertionError("a stream that is taken up again has no end")


def _read_job(api: Api, path: str) -> Any:
    try:
        return decoded(fetch_patiently(api, path, [("history", "false")]))
    except RefusedByServer as exc:
        if exc.status == 404:
            raise Failure("there is no such job, or no longer", EXIT_HOPELESS) from exc
        raise


def _is_reached(state: str, workflow: Any, goal: Goal) -> bool:
    wanted = goal.within(workflow)
    if state in wanted:
        return True
    if not wanted & _reachable(state, workflow):
        told = f"the job is in state {state}, from where {goal.wording} cannot be reached{goal.hint(workflow)}"
        raise Failure(told, EXIT_HOPELESS)
    return False


def _reachable(start: str, workflow: Any) -> set[str]:
    """Return the states that any number of transitions, whoever makes them, lead to."""
    edges = [(text(edge, "from"), text(edge, "to")) for edge in items(workflow, "transitions")]
    found, frontier = {start}, {start}
    while frontier:
        frontier = {target for origin, target in edges if origin in frontier} - found
        found |= frontier
    return found


COMMAND = Command(
    "wait",
    "Wait until a job has reached a state",
    """
    Wait until a job is in one of the given states, or in a state of one of the given groups, and print its status then.
    A server that is not there, or restarts meanwhile, is waited for too.

    Exit codes: 0 it was reached, 3 the time is over, 4 it cannot be reached any more (the job was deleted, never
    existed, or no transition leads there), 1 anything else.
    """,
    usage="[ID]",
    examples="""
    # until the update is done, but ten minutes at most
    wfxctl job wait 5c0b3b5c-8a1e-4d9c-9d3f-2f5f3f6f7a10 --for state=ACTIVATED --timeout 10m

    # until it is over, well or badly; print which
    wfxctl job wait --id 5c0b3b5c-8a1e-4d9c-9d3f-2f5f3f6f7a10 --for group=CLOSED --for group=FAILED \\
        --filter .state --raw
    """,
    options=(
        JOB_ID,
        Option("for", Kind.STRING_ARRAY, "state=NAME or group=NAME; of several, any suffices", names="goal"),
        Option("timeout", Kind.DURATION, "how long to wait at most, such as 90s or 10m; 0 means for ever"),
    ),
    run=run,
)
