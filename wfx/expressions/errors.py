"""Errors of expressions: in the text, and in what it is evaluated on."""

from __future__ import annotations


class ExpressionError(ValueError):
    """The text is no expression, or not one of the kind that is needed here."""

    def __init__(self, message: str, offset: int) -> None:
        """Keep how many characters stand before the mistake."""
        super().__init__(message)
        self.offset = offset


class EvaluationError(ValueError):
    """The expression has no value for this event: the message says what was wrong with which operand."""

    def __init__(self, message: str, offset: int = 0) -> None:
        """Keep how many characters of the expression stand before what failed."""
        super().__init__(message)
        self.offset = offset
