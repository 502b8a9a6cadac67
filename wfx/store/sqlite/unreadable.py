"""What reading a damaged row may end with."""

from __future__ import annotations

UNREADABLE = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""Missing members, wrong types, broken JSON, broken UTF-8, nesting beyond what is ever stored."""
