"""Evaluation of expressions in tests: on the event of the guide."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from wfx.expressions.expression import Compiler, Purpose
from wfx.expressions.library import own_functions
from wfx.expressions.scope import KnownFacts, Scope, User

COMPILER = Compiler(own_functions())
NOW = datetime(2026, 11, 30, 4, 15, tzinfo=UTC)
EVENT = {"id": "evt_01", "type": "transaction", "source": "pos-system", "actor_id": "user_42"}
PAYLOAD: dict[str, Any] = {"amount": 1500, "category": "food", "tags": ["lab", "night"]}
FACTS = KnownFacts(
    scores={"user_42": 120},
    sequences={"ticket": 41},
    users=(User("dana", "dana@example.com", ("night",)), User("kim", "kim@example.com", ("lab", "night"))),
)
GUIDE_FACTS = KnownFacts(scores={"user_42": 120}, users=FACTS.users[:1])


def scope(payload: Any = None, facts: KnownFacts = FACTS, meta: Any = None) -> Scope:
    """Make what an expression is evaluated on."""
    return Scope(PAYLOAD if payload is None else payload, meta or {}, dict(EVENT), NOW, facts)


def value(text: str, payload: Any = None, purpose: Purpose = Purpose.VALUE) -> Any:
    """Compile and evaluate."""
    return COMPILER.compile(text, purpose).evaluate(scope(payload))
