"""Figures of the rules: what they were asked, and what came of it since the start."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from wfx.domain.timestamp import Timestamp
from wfx.reactions.effects import ActionResult, Outcome
from wfx.reactions.failure_log import FailureLog
from wfx.rules.evaluation import Evaluation
from wfx.rules.event import Event
from wfx.service.bounded_counts import BoundedCounts
from wfx.store.upkeep import present

_MOST = 1000
"""Scenarios whose last failure is known, and chains of which is known that they came to a limit."""
_LONGEST = 500


class LastFailure(NamedTuple):
    """The last action, or condition, of a scenario that failed."""

    element_id: str
    message: str
    time: Timestamp


class RuleFigures:
    """Counters of this process."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._log = FailureLog()
        self.events = BoundedCounts()
        """Events that were evaluated, by type."""
        self.matched = BoundedCounts()
        """Events for which an action of a scenario was reached, by its id."""
        self.actions = Counter[tuple[str, str]]()
        """Actions, by type and outcome."""
        self.failed_conditions = 0
        self.limited = 0
        """Actions that were refused since they had been taken too often in a chain."""
        self.failures: dict[str, LastFailure] = {}
        """By the id of the scenario."""
        self._limited_chains: dict[int | str, None] = {}
        """Chains of which was told that they were limited: the number of the first event, or its id."""

    def note_evaluation(self, event: Event, evaluation: Evaluation) -> None:
        """Count an event, and keep what failed."""
        self.events.note(event.type)
        for result in evaluation.results:
            for condition in result.conditions:
                if condition.error:
                    self.failed_conditions += 1
                    self._keep(result.scenario.id, condition.condition.id, condition.error)

    def note_results(self, event: Event, results: Sequence[ActionResult], root: int | None = None) -> None:
        """Count the scenarios that an event has reached, and what became of their actions, once that is stored."""
        for scenario_id in dict.fromkeys(result.scenario_id for result in results):
            self.matched.note(scenario_id)
        self.note_actions(event, results, root)

    def note_actions(self, event: Event, results: Sequence[ActionResult], root: int | None) -> None:
        """Count what became of actions, and log what failed.

        ``root`` is the number of the event that began the chain, if it is one of the log. That a chain has come to a
        limit is logged once.
        """
        for result in results:
            self.actions[result.type, result.outcome] += 1
            if not result.success:
                self._note_failure(event, result, root)

    def _note_failure(self, event: Event, result: ActionResult, root: int | None) -> None:
        message = result.message[:_LONGEST]
        self._keep(result.scenario_id, result.action_id, message)
        if result.outcome is Outcome.LIMITED:
            self.limited += 1
            if not self._is_first(event.id if root is None else root):
                return
        fields = {
            "rule": result.scenario_id,
            "action": result.action_id,
            "event": event.id,
            "eventType": event.type,
            "outcome": str(result.outcome),
            "error": message,
        }
        if root is not None:
            fields["root"] = str(root)
        self._log.note(fields)

    def _is_first(self, chain: int | str) -> bool:
        """Tell whether a chain has come to a limit for the first time, as far as that is known."""
        if chain in self._limited_chains:
            return False
        if len(self._limited_chains) >= _MOST:
            self._limited_chains.pop(next(iter(self._limited_chains)))
        self._limited_chains[chain] = None
        return True

    def _keep(self, scenario_id: str, element_id: str, message: str) -> None:
        if scenario_id not in self.failures and len(self.failures) >= _MOST:
            self.failures.pop(next(iter(self.failures)))
        self.failures[scenario_id] = LastFailure(element_id, message[:_LONGEST], present())
