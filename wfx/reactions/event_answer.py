"""Answer to an event from outside: what the rules did."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from wfx.domain.json import embedded, encode
from wfx.reactions.effects import ActionResult
from wfx.rules.evaluation import Evaluation

_MOST_ERRORS = 128
"""Failed conditions that are named."""


def answer_of(event_id: str, milliseconds: int, evaluation: Evaluation, results: Sequence[ActionResult]) -> str:
    """Return the document that is answered."""
    answer: dict[str, Any] = {
        "event_id": event_id,
        "duration_ms": milliseconds,
        "scenarios_matched": evaluation.matched,
        "actions_executed": [
            {"action_id": each.action_id, "type": each.type, "success": each.success, "message": each.message}
            for each in results
        ],
    }
    errors = [*islice(_errors(evaluation), _MOST_ERRORS)]
    if evaluation.outputs:
        try:
            answer["outputs"] = embedded(encode(dict(evaluation.outputs)))
        except (TypeError, ValueError) as exc:  # such as a whole number of more than 64 bits
            errors.append(f"the outputs cannot be written: {exc}")
    if errors:
        answer["errors"] = errors
    return encode(answer).decode()


def _errors(evaluation: Evaluation) -> Iterator[str]:
    if evaluation.error:
        yield evaluation.error
        return
    for scenario in evaluation.results:
        for condition, _, error in scenario.conditions:
            if error:
                yield f"condition {condition.id} failed: {error}"
