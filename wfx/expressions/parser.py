"""Parser of expressions by precedence climbing.

From loose to tight: ``OR``, ``AND``, ``NOT``, comparisons (which are not chained), ``+ -``, ``* /``, the sign.
"""

from __future__ import annotations

from typing import NoReturn

from wfx.commandline.grammar import closest
from wfx.expressions.errors import ExpressionError
from wfx.expressions.names import CONSTANTS, EVENT_NAMES, WORDS, Names
from wfx.expressions.tokens import Token, TokenKind, number_of, text_of, tokens
from wfx.expressions.tree import Arithmetic, Call, Comparison, ListOf, Literal, Logic, Negative, Node, Not

DEEPEST = 64
"""Levels of operands inside operands."""
_OR, _AND, _NOT, _COMPARISON, _SUM, _PRODUCT, _SIGN = range(1, 8)
_COMPARISONS = ("==", "!=", ">", ">=", "<", "<=", "contains", "matches", "in")
_LEVELS = {"OR": _OR, "AND": _AND, "+": _SUM, "-": _SUM, "*": _PRODUCT, "/": _PRODUCT} | dict.fromkeys(
    _COMPARISONS, _COMPARISON
)
_FOREIGN = {"&&": "AND", "||": "OR", "is": "==", "eq": "==", "like": "matches", "not": "NOT", "and": "AND", "or": "OR"}


def parse(text: str, names: Names = EVENT_NAMES) -> Node:
    """Return the tree of an expression. Raises ExpressionError with the place of the mistake."""
    return _Parser(text, names).whole()


class _Parser:
    """The tokens of one expression and how far they are read."""

    def __init__(self, text: str, names: Names) -> None:
        self._names = names
        self._tokens = list(tokens(text))
        self._place = 0
        self._depth = 0

    @property
    def _next(self) -> Token:
        return self._tokens[self._place]

    def _take(self) -> Token:
        token = self._next
        self._place += token.kind is not TokenKind.END
        return token

    def whole(self) -> Node:
        """Read all of it."""
        node = self._expression(_OR)
        if self._next.kind is not TokenKind.END:
            self._refuse_rest()
        return node

    def _expression(self, level: int) -> Node:
        """Read operands as long as what joins them binds at least as tightly as the level."""
        self._depth += 1
        if self._depth > DEEPEST:
            raise ExpressionError(f"it is nested too deeply: at most {DEEPEST} levels", self._next.offset)
        node = self._operand(level)
        while (found := self._level()) is not None and found >= level:
            node = self._joined(node, found)
        self._depth -= 1
        return node

    def _level(self) -> int | None:
        token = self._next
        return _LEVELS.get(token.text) if token.kind in (TokenKind.NAME, TokenKind.SYMBOL) else None

    def _joined(self, left: Node, level: int) -> Node:
        """Read the operators of one level, and their right sides."""
        if level == _COMPARISON:
            operator = self._take()
            right = self._expression(level + 1)
            if self._level() == level:
                raise ExpressionError("comparisons are not chained: join them with AND", self._next.offset)
            return Comparison(operator.offset, operator.text, left, right)
        rest: list[tuple[str, int, Node]] = []
        while self._level() == level:
            operator = self._take()
            rest.append((operator.text, operator.offset, self._expression(level + 1)))
        if level in (_SUM, _PRODUCT):
            return Arithmetic(left.offset, left, tuple(rest))
        return Logic(left.offset, rest[0][0], (left, *(operand for _, _, operand in rest)))

    def _operand(self, level: int) -> Node:  # noqa: PLR0911 - one for each kind of operand
        token = self._take()
        match token:
            case Token(kind=TokenKind.NUMBER):
                return Literal(token.offset, number_of(token))
            case Token(kind=TokenKind.TEXT):
                return Literal(token.offset, text_of(token))
            case Token(text="NOT"):
                if level > _NOT:
                    raise ExpressionError("NOT stands in parentheses here: (NOT …)", token.offset)
                return Not(token.offset, self._expression(_NOT))
            case Token(text="-"):
                return Negative(token.offset, self._expression(_SIGN))
            case Token(text="("):
                node = self._expression(_OR)
                self._expect(")")
                return node
            case Token(text="["):
                return ListOf(token.offset, self._items("]"))
            case Token(kind=TokenKind.NAME) if token.text not in _LEVELS:
                return self._name(token)
        if len(self._tokens) == 1:
            raise ExpressionError("the expression is empty", token.offset)
        raise ExpressionError(f"a value is missing before {token.shown}", token.offset)

    def _name(self, token: Token) -> Node:
        if self._next.text == "(":
            self._take()
            return Call(token.offset, token.text, self._items(")"))
        if token.text in CONSTANTS:
            return Literal(token.offset, CONSTANTS[token.text])
        return self._keyed(token) or self._names.field(token)

    def _keyed(self, token: Token) -> Node | None:
        """Read the key in brackets behind a name, where there is one."""
        following = self._tokens[self._place : self._place + 3]
        if [one.text for one in following[::2]] != ["[", "]"] or following[1].kind is not TokenKind.TEXT:
            return None
        field = self._names.keyed(token, text_of(following[1]))
        if field is not None:
            self._place += 3
        return field

    def _items(self, end: str) -> tuple[Node, ...]:
        """Read what is between parentheses or brackets, up to their end."""
        items: list[Node] = []
        if self._next.text != end:
            items.append(self._expression(_OR))
            while self._next.text == ",":
                self._take()
                items.append(self._expression(_OR))
        self._expect(end)
        return tuple(items)

    def _expect(self, symbol: str) -> None:
        token = self._take()
        if token.kind is not TokenKind.SYMBOL or token.text != symbol:
            raise ExpressionError(f"{symbol} is missing before {token.shown}", token.offset)

    def _refuse_rest(self) -> NoReturn:
        token = self._next
        if token.text in (")", "]"):
            raise ExpressionError(f"{token.text} closes nothing", token.offset)
        hint = _FOREIGN.get(token.text.lower()) if token.kind is TokenKind.NAME else None
        said = f" (did you mean {hint}?)" if hint else closest(token.text, WORDS)
        raise ExpressionError(f"an operator is missing before {token.shown}{said}", token.offset)
