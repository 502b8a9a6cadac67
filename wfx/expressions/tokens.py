"""Tokens of an expression: numbers, texts, names and symbols, with their places."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple, NoReturn

from wfx.expressions.errors import ExpressionError

LONGEST = 4096
"""Characters that an expression may have."""
_LONGEST_NUMBER = 30


class TokenKind(Enum):
    """What a token is; the value is what messages call it."""

    NUMBER = "number"
    TEXT = "text"
    NAME = "name"
    SYMBOL = "symbol"
    END = "end"


class Token(NamedTuple):
    """A word or symbol of an expression."""

    kind: TokenKind
    text: str
    offset: int

    @property
    def shown(self) -> str:
        """How messages call it."""
        return "the end" if self.kind is TokenKind.END else self.text if len(self.text) < 60 else self.text[:60] + "…"


_TOKEN = re.compile(
    r"""(?P<SPACE>[ \t\r\n]+)
    | (?P<NUMBER>[0-9]+(?:\.[0-9]+)?(?![\w.]))
    | (?P<TEXT>"(?:[^"\\]|\\.)*")
    | (?P<NAME>[^\W\d]\w*(?:[.:]\w+)*)
    | (?P<SYMBOL>==|!=|>=|<=|[><()\[\],*/+-])
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r'\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})|\\(?P<wrong>.)', re.DOTALL)
_HINTS = {
    "=": "compare with ==",
    "&": "write AND",
    "|": "write OR",
    "!": "write NOT, or != for different values",
    "'": "texts stand in double quotes",
    '"': "this text does not end: a double quote is missing",
    "{": "there are no objects in expressions",
}


def tokens(text: str) -> Iterator[Token]:
    """Yield the tokens of an expression, the end as the last one. Raises ExpressionError."""
    if len(text) > LONGEST:
        raise ExpressionError(f"an expression has at most {LONGEST} characters, and this one has {len(text)}", LONGEST)
    offset = 0
    while offset < len(text):
        match = _TOKEN.match(text, offset)
        if match is None:
            _refuse(text, offset)
        if match.lastgroup != "SPACE":
            yield Token(TokenKind[str(match.lastgroup)], match[0], offset)
        offset = match.end()
    yield Token(TokenKind.END, "", len(text))


def number_of(token: Token) -> int | float:
    """Return the value of a number. Raises ExpressionError."""
    if len(token.text) > _LONGEST_NUMBER:
        raise ExpressionError(f"a number has at most {_LONGEST_NUMBER} digits", token.offset)
    return float(token.text) if "." in token.text else int(token.text)


def text_of(token: Token) -> str:
    """Return the value of a text, which is written as in JSON. Raises ExpressionError."""
    for match in _ESCAPE.finditer(token.text):
        if wrong := match["wrong"]:
            hint = f"; a backslash is written \\\\, so this may be \\\\{wrong}" if wrong.isprintable() else ""
            raise ExpressionError(
                f"a text has no such escape as {match[0]!r}"[:80] + hint, token.offset + match.start()
            )
    value: str = json.loads(token.text, strict=False)
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise ExpressionError("this text has half a character: \\ud800 to \\udfff stand in pairs", token.offset)
    return value


def _refuse(text: str, offset: int) -> NoReturn:
    character = text[offset]
    if character.isdigit():
        raise ExpressionError("a number is written with digits, and a dot between them: 1500 or 0.05", offset)
    hint = _HINTS.get(character)
    raise ExpressionError(f"{character!r} is not part of expressions" + (f": {hint}" if hint else ""), offset)
