"""Tokenizer of jq programs."""

from __future__ import annotations

import re
from collections.abc import Iterator

_TOKEN = re.compile(
    r"""(?P<blank>   [ \t\r\n]+ | \#(?:[^\r\n\\]|\\\r?\n|\\.?)* )
      | (?P<field>   \.[A-Za-z_]\w* )
      | (?P<number>  \.?[0-9][0-9.]*(?:[eE][+-]?[0-9]+)? )
      | (?P<literal> @\w+ | \$\s*(?:\w|::)+ )
      | (?P<word>    [A-Za-z_]\w*(?:::\w+)* )
      | (?P<mark>    \?//=? | \|= | //=? | [!<>=+*/%-]= | \.\. | . )""",
    re.VERBOSE | re.ASCII | re.DOTALL,
)
_STRING = re.compile(r'[^"\\]*(?:\\[^(][^"\\]*)*', re.DOTALL)
CLOSING = {"(": ")", "[": "]", "{": "}", "if": "end", "def": ";"}
"""What opens a deeper level, and what closes it again."""


class NotUnderstoodError(Exception):
    """The text cannot be cut into tokens, and has to be left as it is."""


class Token:
    """A piece of the program: its kind, its text and where it is."""

    __slots__ = ("depth", "end", "kind", "programs", "start", "text")

    def __init__(self, kind: str, text: str, start: int, programs: tuple[tuple[int, int], ...] = ()) -> None:
        """Take a token outside of all brackets."""
        self.kind, self.text, self.start, self.end = kind, text, start, start + len(text)
        self.programs = programs
        """Where the programs inside of a string begin and end."""
        self.depth = 0
        """How many brackets are open around it; opening and closing brackets do not count for themselves."""


def tokens_of(program: str) -> list[Token]:
    """Cut a program into tokens, without blanks and comments.

    An ``as`` that belongs to ``reduce`` or ``foreach`` has a kind of its own, ``bound``. Raises NotUnderstoodError.
    """
    tokens: list[Token] = []
    awaited: list[str] = []
    reductions = [0]
    for token in _scan(program):
        word = token.text if token.kind in {"mark", "word"} else ""
        if awaited and word == awaited[-1]:
            awaited.pop()
            reductions.pop()
        if word == "as" and reductions[-1]:
            reductions[-1] -= 1
            token.kind = "bound"
        reductions[-1] += word in {"reduce", "foreach"}
        token.depth = len(awaited)
        tokens.append(token)
        member = token.kind == "word" and awaited and awaited[-1] == "}"
        if word in CLOSING and not member:
            awaited.append(CLOSING[word])
            reductions.append(0)
    if awaited:
        raise NotUnderstoodError(awaited[-1])
    return tokens


def _scan(text: str, position: int = 0) -> Iterator[Token]:
    """Yield the tokens from ``position`` on, without blanks and comments."""
    while position < len(text):
        if text[position] == '"':
            token = _string(text, position)
        else:
            match = _TOKEN.match(text, position)
            if match is None:
                raise NotUnderstoodError(text[position])
            token = Token(str(match.lastgroup), match[0], position)
        position = token.end
        if token.kind != "blank":
            yield token


def _string(text: str, start: int) -> Token:
    """Read a string literal, programs inside of it included."""
    programs = []
    match = _STRING.match(text, start + 1)
    while match and text.startswith("\\(", match.end()):
        inner = match.end() + 2
        end = _interpolation_end(text, inner)
        programs.append((inner, end))
        match = _STRING.match(text, end + 1)
    if match is None or not text.startswith('"', match.end()):
        raise NotUnderstoodError("a string without end")
    return Token("string", text[start : match.end() + 1], start, tuple(programs))


def _interpolation_end(text: str, start: int) -> int:
    """Find the parenthesis that closes the one before ``start``."""
    depth = 1
    for token in _scan(text, start):
        depth += (token.text == "(") - (token.text == ")")
        if not depth:
            return token.start
    raise NotUnderstoodError("an interpolation without end")
