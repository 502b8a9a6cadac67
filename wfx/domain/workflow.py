"""Workflows: immutable state machines of jobs."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any

from wfx.domain.json import Json, decode, encode


class Actor(StrEnum):
    """Who moves a job: a device (southbound) or the service and its operators (northbound)."""

    CLIENT = "CLIENT"
    WFX = "WFX"


class Trigger(StrEnum):
    """Whether a WFX transition is taken at once or waits for somebody (the wire calls this ``action``)."""

    IMMEDIATE = "IMMEDIATE"
    WAIT = "WAIT"


@dataclass(frozen=True, slots=True)
class State:
    """One state of a workflow."""

    name: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """A named set of states, by which jobs are found."""

    name: str
    states: tuple[str, ...]
    description: str = ""


@dataclass(frozen=True, slots=True)
class Transition:
    """An edge of the state machine, and who may use it."""

    origin: str
    target: str
    eligible: Actor
    trigger: Trigger | None = None
    description: str = ""


@dataclass(frozen=True)
class Workflow:
    """A state machine. Well-formedness (rest-api section 8) is :func:`wfx.domain.validation.check`'s business."""

    name: str
    states: tuple[State, ...]
    transitions: tuple[Transition, ...] = ()
    groups: tuple[Group, ...] | None = None
    description: str = ""
    number: int = field(default=0, compare=False)
    """The store's number for it; 0 before it is stored. A deleted name may come back under another number."""

    @classmethod
    def from_wire(cls, document: dict[str, Any], number: int = 0) -> Workflow:
        """Build from a decoded document that already satisfies the OpenAPI schema; unknown members are dropped."""
        groups = document.get("groups")
        return cls(
            name=document["name"],
            description=document.get("description", ""),
            states=tuple(State(s["name"], s.get("description", "")) for s in document["states"]),
            transitions=tuple(_transition(t) for t in document["transitions"]),
            groups=None if groups is None else tuple(_group(g) for g in groups),
            number=number,
        )

    @classmethod
    def from_encoded(cls, document: Json, number: int = 0) -> Workflow:
        """Build from :attr:`encoded`, which is kept."""
        workflow = cls.from_wire({"transitions": [], **decode(document)}, number)
        vars(workflow)["encoded"] = document
        return workflow

    @cached_property
    def encoded(self) -> Json:
        """The whole workflow as the API shows it; made once, since a workflow never changes."""
        return encode(
            _without_blanks(
                {
                    "description": self.description,
                    "groups": [
                        _without_blanks({"description": g.description, "name": g.name, "states": list(g.states)})
                        for g in self.groups or ()
                    ],
                    "name": self.name,
                    "states": [_without_blanks({"description": s.description, "name": s.name}) for s in self.states],
                    "transitions": [
                        _without_blanks(
                            {
                                "action": t.trigger,
                                "description": t.description,
                                "eligible": t.eligible,
                                "from": t.origin,
                                "to": t.target,
                            }
                        )
                        for t in self.transitions
                    ],
                }
            )
        )

    @cached_property
    def encoded_reference(self) -> Json:
        """``{"name": …}`` alone, as most events carry it."""
        return encode({"name": self.name})

    @cached_property
    def positions(self) -> dict[str, int]:
        """Where each state stands among the states, from 0."""
        return {state.name: position for position, state in enumerate(self.states)}

    @cached_property
    def initial(self) -> str:
        """The state that jobs start in: the one no other state leads to."""
        entered = {t.target for t in self.transitions if t.origin != t.target}
        return next(s.name for s in self.states if s.name not in entered)

    @cached_property
    def _group_of(self) -> dict[str, str]:
        pairs = ((state, group.name) for group in self.groups or () for state in group.states)
        found: dict[str, str] = {}
        for state, group in pairs:
            found.setdefault(state, group)
        return found

    def group_of(self, state: str) -> str:
        """Return the first group that lists the state, or the empty string (rest-api section 9.3)."""
        return self._group_of.get(state, "")

    @cached_property
    def eligible(self) -> dict[tuple[str, str], frozenset[Actor]]:
        """Who may take each edge, by (from, to)."""
        edges: dict[tuple[str, str], frozenset[Actor]] = {}
        for t in self.transitions:
            edges[t.origin, t.target] = edges.get((t.origin, t.target), frozenset()) | {t.eligible}
        return edges

    @cached_property
    def _immediate(self) -> dict[str, str]:
        return {
            t.origin: t.target for t in self.transitions if t.eligible is Actor.WFX and t.trigger is Trigger.IMMEDIATE
        }

    def settle(self, state: str) -> str:
        """Follow immediate WFX transitions until none is left (rest-api section 9.3); stops at a state seen before."""
        immediate = self._immediate
        if state not in immediate:
            return state
        seen = {state}
        while (following := immediate.get(state)) is not None and following not in seen:
            seen.add(following)
            state = following
        return state


def _group(document: dict[str, Any]) -> Group:
    return Group(document["name"], tuple(document["states"]), document.get("description", ""))


def _transition(document: dict[str, Any]) -> Transition:
    trigger = document.get("action")
    return Transition(
        origin=document["from"],
        target=document["to"],
        eligible=Actor(document["eligible"]),
        trigger=None if trigger is None else Trigger(trigger),
        description=document.get("description", ""),
    )


def _without_blanks(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value}
