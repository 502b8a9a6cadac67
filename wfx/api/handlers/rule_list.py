"""Handlers that show the rules, and read them again."""

from __future__ import annotations

from typing import Any

from wfx.api.reply import Reply, json_reply
from wfx.api.request import ApiRequest
from wfx.api.services import Services
from wfx.domain.errors import NoRules
from wfx.domain.json import encode
from wfx.domain.timestamp import rfc3339
from wfx.reactions.rules import scripts_missing
from wfx.rules.graph import Scenario, actions_of


async def query(request: ApiRequest) -> Reply:
    """GET /rules."""
    return json_reply(encode(_rules(request.services)))


async def reload(request: ApiRequest) -> Reply:
    """POST /rules/reload."""
    rules = request.services.rules
    if not rules.source.path:
        raise NoRules
    if await rules.reload():
        return json_reply(encode(_rules(request.services)))
    many = f"{len(rules.faults)} faults" if len(rules.faults) > 1 else "a fault"
    kept = "the rules from before go on" if rules.graph else "there are no rules"
    return json_reply(encode({"error": f"the rules have {many}; {kept}", "faults": rules.faults}), 400)


def _rules(services: Services) -> dict[str, Any]:
    """Return the document that tells what is loaded. Raises NoRules."""
    rules = services.rules
    if not rules.source.path:
        raise NoRules
    document: dict[str, Any] = {"file": rules.source.path, "scenarios": []}
    if rules.loaded is not None:
        graph = rules.loaded.graph
        document |= {"loaded": rfc3339(rules.loaded_at), "sha256": rules.loaded.sha256}
        document["engine"] = {name: getattr(graph.engine, name) for name in graph.engine.__slots__}
        document["scenarios"] = [_scenario(one, services) for one in graph.scenarios]
    if rules.steps:
        document["steps"] = [
            {"name": name, "package": one.package, "summary": one.summary} for name, one in sorted(rules.steps.items())
        ]
    if rules.faults:
        document["faults"] = rules.faults
    if rules.graph is not None and not services.scripts.are_on and (warnings := scripts_missing(rules.graph)):
        document["warnings"] = warnings
    return document


def _scenario(scenario: Scenario, services: Services) -> dict[str, Any]:
    figures = services.rule_figures
    document: dict[str, Any] = {
        "id": scenario.id,
        "description": scenario.description,
        "enabled": scenario.enabled,
        "event_types": scenario.event_types,
        "actions": [{"id": one.id, "type": one.type.type} for one in actions_of(scenario.children)],
        "matched": figures.matched.get(scenario.id, 0),
    }
    if scenario.sources is not None:
        document["sources"] = sorted(scenario.sources)
    if (failure := figures.failures.get(scenario.id)) is not None:
        time = rfc3339(failure.time)
        document["last_failure"] = {"id": failure.element_id, "message": failure.message, "time": time}
    return document
