"""What rules cost by themselves: an event through ten conditions, and a file of 1,000 scenarios.

Processor time, so that other load beside counts less. ``python -m bench.rules`` prints the figures alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from statistics import median

from bench.streams import Figure
from wfx.expressions.expression import Compiler
from wfx.expressions.library import own_functions
from wfx.expressions.scope import KnownFacts
from wfx.rules.evaluation import evaluate
from wfx.rules.event import Event
from wfx.rules.own_actions import own_actions
from wfx.rules.rule_file import load

_ROUNDS = 7
_EVENTS = 5000
_PAYLOAD = {"amount": 1500, "category": "food", "to": "TERMINATED", "from": "INSTALLING", "tags": ["lab"]}
_EXPRESSIONS = (
    "payload.amount > 1000",
    'payload.category == "food"',
    'payload.to == "TERMINATED" AND payload.from != payload.to',
    'payload.tags contains "lab"',
    'payload.category in ["food", "drink"]',
)
HEAD = "version: v1\nscenarios:\n"


def scenario(number: int, kind: str, conditions: int) -> str:
    """Write a scenario whose conditions all hold but the last one."""
    action = f"{{action: {{id: a{number}, type: add_tags, params: {{tags: [seen], job_id: '${{payload.id}}'}}}}}}"
    return f"- id: s{number}\n  event_types: [{kind}]\n  children:\n" + _nested(number, conditions, action)


def _nested(number: int, conditions: int, inner: str) -> str:
    for place in reversed(range(conditions)):
        last = place == conditions - 1
        text = 'payload.category == "nothing"' if last else _EXPRESSIONS[place % len(_EXPRESSIONS)]
        inner = f"{{condition: {{id: c{number}.{place}, expression: '{text}', children: [{inner}]}}}}"
    return f"  - {inner}\n"


def measure() -> Iterator[Figure]:
    """Measure both."""
    compiler, types, facts, now = Compiler(own_functions()), own_actions(), KnownFacts(), datetime.now(UTC)
    graph = load((HEAD + scenario(0, "t", 10)).encode(), compiler, types)
    event = Event(type="t", payload=_PAYLOAD)

    def evaluate_events() -> None:
        for _ in range(_EVENTS):
            evaluate(graph, event, facts, now)

    yield Figure("rules: an event through 10 conditions", _seconds(evaluate_events) / _EVENTS * 1e6, "µs")
    many = (HEAD + "".join(scenario(number, f"t{number % 50}", 3) for number in range(1000))).encode()
    yield Figure("rules: a file of 1,000 scenarios loaded", _seconds(lambda: load(many, compiler, types)) * 1e3, "ms")


def _seconds(work: Callable[[], object]) -> float:
    found = []
    for _ in range(_ROUNDS):
        start = time.process_time()
        work()
        found.append(time.process_time() - start)
    return median(found)


if __name__ == "__main__":
    for figure in measure():
        print(figure)  # noqa: T201 - what it is for
