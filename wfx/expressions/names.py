"""Names of values in expressions: what each stands for, and the messages for those that there are not."""

from __future__ import annotations

from typing import NoReturn, Protocol

from wfx.commandline.grammar import closest
from wfx.expressions.errors import ExpressionError
from wfx.expressions.tokens import Token
from wfx.expressions.tree import Field

CONSTANTS = {"true": True, "false": False, "null": None}
WORDS = ("AND", "OR", "NOT", "contains", "matches", "in")
EVENT_MEMBERS = ("actor_id", "id", "source", "type")
"""What ``event.`` has."""
_NAMESPACES = ("event", "meta", "payload")


class Names(Protocol):
    """The names that expressions of one kind may use."""

    def field(self, token: Token) -> Field:
        """Return what a name with dots stands for. Raises ExpressionError."""
        ...

    def keyed(self, token: Token, key: str) -> Field | None:
        """Return what a name with a key stands for, ``name["key"]``; None for a name that takes none."""
        ...


class EventNames:
    """Names of rules: members of the event and its payload."""

    def field(self, token: Token) -> Field:
        """Return what a name stands for. Raises ExpressionError."""
        path = tuple(token.text.split("."))
        if path[0] not in _NAMESPACES or ":" in token.text:
            _refuse(token)
        if path[0] == "event" and len(path) > 1 and (path[1] not in EVENT_MEMBERS or len(path) > 2):
            known = [f"event.{member}" for member in EVENT_MEMBERS]
            hint = closest(token.text, known)
            raise ExpressionError(f"an event has no {token.shown}, only {', '.join(known)}{hint}", token.offset)
        return Field(token.offset, path)

    def keyed(self, token: Token, key: str) -> Field | None:  # noqa: ARG002 - names of rules have dots alone
        """Return None: no name takes a key."""
        return None


EVENT_NAMES = EventNames()


def refuse_function(token: Token) -> NoReturn:
    """Raise ExpressionError for the name of a function that is not called."""
    raise ExpressionError(f"{token.shown} is a function: write {token.shown}(…)", token.offset)


def _refuse(token: Token) -> NoReturn:
    first = token.text.partition(".")[0]
    if ":" in token.text or first == "flw":
        refuse_function(token)
    hint = closest(first, (*_NAMESPACES, *CONSTANTS, *WORDS))
    if not hint and len(token.text) < 60:
        hint = f" (did you mean payload.{token.text}?)"
    raise ExpressionError(
        f"unknown name {token.shown}: values begin with payload., meta. or event.{hint}", token.offset
    )
