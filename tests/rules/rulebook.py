"""Rules in tests."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from wfx.expressions.expression import Compiler
from wfx.expressions.library import own_functions
from wfx.expressions.scope import KnownFacts
from wfx.rules.evaluation import Evaluation, evaluate
from wfx.rules.event import event_of
from wfx.rules.faults import RulesInvalid
from wfx.rules.graph import Graph
from wfx.rules.own_actions import own_actions
from wfx.rules.rule_file import load

EXAMPLES = Path(__file__).parents[2] / "spec" / "rules"
NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
PURCHASE: dict[str, Any] = {
    "type": "transaction",
    "source": "pos-system",
    "actor_id": "user_42",
    "payload": {"amount": 1500, "category": "food"},
}
FAILURE: dict[str, Any] = {
    "type": "job.update_status",
    "source": "log",
    "payload": {
        "job_id": "j1", "client": "press-7", "workflow": "wfx.workflow.dau.direct", "from": "INSTALLING",
        "to": "TERMINATED", "group": "FAILED", "tags": [],
    },
}  # fmt: skip


def loaded(text: str | bytes) -> Graph:
    """Load a rule file."""
    content = text.encode() if isinstance(text, str) else text
    return load(content, Compiler(own_functions()), own_actions())


def example(name: str) -> Graph:
    """Load one of the examples."""
    return loaded((EXAMPLES / f"{name}.yml").read_bytes())


def faults(text: str | bytes) -> list[str]:
    """Return what is wrong with a rule file."""
    try:
        loaded(text)
    except RulesInvalid as exc:
        return [fault.at("rules.yaml") for fault in exc.faults]
    return []


def evaluated(graph: Graph, event: dict[str, Any], facts: KnownFacts | None = None, now: datetime = NOON) -> Evaluation:
    """Evaluate an event."""
    return evaluate(graph, event_of(event), facts or KnownFacts(), now)


def with_payload(event: dict[str, Any], **members: Any) -> dict[str, Any]:
    """Return an event with other members of its payload."""
    return event | {"payload": event["payload"] | members}


def planned(evaluation: Evaluation) -> dict[str, Any]:
    """Return the parameters of all planned actions, or their errors, by id."""
    return {one.action.id: one.error or one.parameters for one in evaluation.actions}


def file_with(*children: str, more: str = "") -> str:
    """Make a rule file of one scenario for events of the type ``t``, with children in YAML's flow style."""
    lines = "".join(f"      - {child}\n" for child in children)
    return f"version: v1\n{more}scenarios:\n  - id: s\n    event_types: [t]\n    children:\n{lines}"


def condition(name: str, expression: str, *children: str) -> str:
    """Make a condition for :func:`file_with`."""
    return f"{{condition: {{id: {name}, expression: '{expression}', children: [{', '.join(children)}]}}}}"


def tag(name: str, tags: str = "[x]", job: str = "j") -> str:
    """Make an action for :func:`file_with`."""
    return f"{{action: {{id: {name}, type: add_tags, params: {{tags: {tags}, job_id: {job}}}}}}}"
