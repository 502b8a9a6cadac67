"""Diagram of a workflow: what all formats show of it. The workflow need not make sense."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from wfx.domain.workflow import Group, State, Transition, Workflow
from wfx_viewer import colors
from wfx_viewer.colors import NO_GROUP, Color

NO_GROUP_TEXT = "The state doesn't belong to any group."


@dataclass(frozen=True, slots=True)
class Diagram:
    """States, transitions and groups in the order of the file, and what follows from them."""

    name: str
    description: str
    states: tuple[State, ...]
    transitions: tuple[Transition, ...]
    groups: tuple[tuple[Group, Color], ...]
    initial: str | None
    """The first state that no other state leads to; None if there is no such state."""
    finals: tuple[str, ...]
    """States that no transition leaves, by name."""
    _colors: Mapping[str, Color]

    @classmethod
    def of(cls, workflow: Workflow) -> Diagram:
        """Look at a workflow."""
        entered = {t.target for t in workflow.transitions if t.origin != t.target}
        left = {t.origin for t in workflow.transitions}
        groups = tuple((group, colors.of_group(place)) for place, group in enumerate(workflow.groups or ()))
        of_states: dict[str, Color] = {}
        for group, color in groups:
            for state in group.states:
                of_states.setdefault(state, color)
        return cls(
            name=workflow.name,
            description=workflow.description,
            states=workflow.states,
            transitions=workflow.transitions,
            groups=groups,
            initial=next((state.name for state in workflow.states if state.name not in entered), None),
            finals=tuple(sorted({state.name for state in workflow.states} - left)),
            _colors=of_states,
        )

    def named(self) -> Iterator[str]:
        """Yield the name of each state, and those that only transitions name, some of them more than once."""
        for state in self.states:
            yield state.name
        for t in self.transitions:
            yield from (t.origin, t.target)

    def color(self, state: str) -> Color:
        """Return the colour of a state: that of the first group that lists it."""
        return self._colors.get(state, NO_GROUP)


def label(transition: Transition, written: Callable[[str], str] = str) -> str:
    """Say who may use a transition, and its action if it has one, as a language writes words: ``WFX [IMMEDIATE]``."""
    actor = written(f"{transition.eligible}")
    return f"{actor} [{written(f'{transition.trigger}')}]" if transition.trigger else actor
