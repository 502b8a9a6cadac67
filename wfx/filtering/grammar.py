"""Parser that recognises jq programs that always end.

    pipe         = alternatives { "|" alternatives }
    alternatives = comparison { "," comparison }
    comparison   = term [ ("==" | "!=") scalar ]            the term has one output at most
    term         = path | scalar | "(" pipe ")" | "[" [ pipe ] "]" | "{" [ member { "," member } ] "}"
                 | "map" "(" pipe ")" | "select" "(" pipe ")" | "del" "(" path { "," path } ")" | "has" "(" key ")"
                 | "empty" | "keys" | "length" | "not" | "type"
    member       = ( name | string ) [ ":" term ]           the term has one output at most; no name twice
    path         = ( field | "." [ bracket ] ) { field | bracket }
    field        = "." name [ "?" ]
    bracket      = "[" [ key ] "]" [ "?" ]
    key          = string | [ "-" ] integer
    scalar       = string | number | "true" | "false" | "null"

Strings have no escapes, numbers no exponents and at most 15 digits. There is no recursion, no variable, no function of
the caller's own, nothing that multiplies strings: see :mod:`wfx.filtering.finite` for why such a program ends, and how
much it can produce at most. A text that is not of this grammar may still be a fine jq program; a worker finds out.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any, cast

from wfx.filtering import finite
from wfx.filtering.finite import Leaf, Path, Pipe, Step

MAX_TOKENS = 100
"""Longer programs go to a worker: this bounds the depth of nesting, and what recognising costs."""

_TOKEN = re.compile(
    r"""[ \t\r\n]* (?: (?P<field>  \.[A-Za-z_][A-Za-z0-9_]* )
                     | (?P<string> "[^"\\\x00-\x1f\x7f\ud800-\udfff]*" )
                     | (?P<number> (?:0|[1-9][0-9]{0,14}) (?:\.[0-9]{1,15})? (?![0-9A-Za-z_.]) )
                     | (?P<name>   [A-Za-z_][A-Za-z0-9_]* )
                     | (?P<mark>   == | != | [.\[\](){}|,:?-] ) )""",
    re.VERBOSE,
)

_CONSTANTS = {"true": True, "false": False, "null": None}
_KEYWORDS = {
    *("__loc__", "and", "as", "catch", "def", "elif", "else", "end", "foreach", "if", "import", "include", "label"),
    *("module", "or", "reduce", "then", "try"),
}


class _Unknown(Exception):
    """The text is not of this grammar."""


def recognise(text: str) -> Leaf | Pipe | None:
    """Build the program for a text of this grammar, or give None."""
    try:
        parser = _Parser(_tokens(text))
        program = parser.pipe()
        parser.expect("end")
    except _Unknown:
        return None
    return program


def _tokens(text: str) -> list[tuple[str, str]]:
    tokens: list[tuple[str, str]] = []
    position, end = 0, len(text.rstrip(" \t\r\n"))
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None or len(tokens) == MAX_TOKENS or text.startswith("..", match.start(match.lastgroup or 0)):
            raise _Unknown
        position = match.end()
        kind = cast(str, match.lastgroup)
        tokens.append((match[kind], "mark") if kind == "mark" else (match[kind], kind))
    return [*tokens, ("end", "mark")]


class _Parser:
    """Recursive descent; the depth is bounded by the number of tokens."""

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = tokens
        self._at = 0

    def _next(self, kind: str) -> str | None:
        """Take the next token if it is of this kind."""
        text, actual = self._tokens[self._at]
        if actual != kind:
            return None
        self._at += 1
        return text

    def _accept(self, mark: str) -> bool:
        """Take the next token if it is this mark."""
        if self._tokens[self._at] != (mark, "mark"):
            return False
        self._at += 1
        return True

    def expect(self, mark: str) -> None:
        """Take this mark; the text is of another grammar when it is not there."""
        if not self._accept(mark):
            raise _Unknown

    def pipe(self) -> Leaf | Pipe:
        """Read a pipe up to whatever cannot be part of it."""
        stages = [self._alternatives()]
        while self._accept("|"):
            stages.append(self._alternatives())
        return stages[0][0] if len(stages) == len(stages[0]) == 1 else Pipe(tuple(stages))

    def _alternatives(self) -> tuple[Leaf | Pipe, ...]:
        alternatives = [self._comparison()]
        while self._accept(","):
            alternatives.append(self._comparison())
        return tuple(alternatives)

    def _comparison(self) -> Leaf | Pipe:
        term = self._term()
        if self._accept("=="):
            return finite.compared(_single(term), self._scalar(), equal=True)
        if self._accept("!="):
            return finite.compared(_single(term), self._scalar(), equal=False)
        return term

    def _term(self) -> Leaf | Pipe:
        text, kind = self._tokens[self._at]
        if kind == "field" or (text == "." and kind == "mark"):
            return _split(self._path())
        if kind == "name" and text not in _CONSTANTS:
            self._at += 1
            return self._call(text)
        if self._accept("("):
            return self._closed(")")
        if self._accept("["):
            return finite.array(None if self._accept("]") else self._closed("]"))
        if self._accept("{"):
            return self._members()
        return finite.literal(self._scalar())

    def _closed(self, mark: str) -> Leaf | Pipe:
        pipe = self.pipe()
        self.expect(mark)
        return pipe

    def _call(self, name: str) -> Leaf:
        if name in finite.FUNCTIONS:
            return finite.FUNCTIONS[name]
        if name not in {"map", "select", "del", "has"}:
            raise _Unknown
        self.expect("(")
        if name == "map":
            return finite.mapped(self._closed(")"))
        if name == "select":
            return finite.selected(_single(self._closed(")")))
        leaf = finite.contained(self._key()) if name == "has" else self._deletion()
        self.expect(")")
        return leaf

    def _deletion(self) -> Leaf:
        paths = [self._path()]
        while self._accept(","):
            paths.append(self._path())
        if any(not path or any(isinstance(step, int) and step < 0 for step, _ in path) for path in paths):
            raise _Unknown
        return finite.without(tuple(paths))

    def _members(self) -> Leaf:
        parts: dict[str, Leaf | Pipe] = {}
        while not parts or self._accept(","):
            if not parts and self._accept("}"):
                return finite.members(parts)
            name = self._next("name")
            if name in _KEYWORDS:
                raise _Unknown
            key = name or self._string()
            if key in parts:
                raise _Unknown
            parts[key] = _single(self._term()) if self._accept(":") else finite.path(((key, False),))
        self.expect("}")
        return finite.members(parts)

    def _path(self) -> Path:
        steps: list[tuple[Step, bool]] = []
        rooted = self._accept(".")
        while True:
            field = self._next("field")
            if field is not None and not (rooted and not steps):
                steps.append((field[1:], self._accept("?")))
            elif field is None and (rooted or steps) and self._accept("["):
                key = None if self._accept("]") else self._key()
                if key is not None:
                    self.expect("]")
                steps.append((key, self._accept("?")))
            elif field is None and (rooted or steps):
                return tuple(steps)
            else:
                raise _Unknown

    def _key(self) -> str | int:
        sign = -1 if self._accept("-") else 1
        number = self._next("number")
        if number is not None and number.isdigit():
            return sign * int(number)
        if number is not None or sign < 0:
            raise _Unknown
        return self._string()

    def _string(self) -> str:
        text = self._next("string")
        if text is None:
            raise _Unknown
        return text[1:-1]

    def _scalar(self) -> Any:
        name = self._next("name")
        if name is not None:
            if name not in _CONSTANTS:
                raise _Unknown
            return _CONSTANTS[name]
        number = self._next("number")
        if number is not None:
            return float(number) if "." in number else int(number)
        return self._string()


def _single(part: Leaf | Pipe) -> Leaf | Pipe:
    if not part.single:
        raise _Unknown
    return part


def _split(path: Path) -> Leaf | Pipe:
    """Cut a path behind each ``[]``: an element that fails there must not take its neighbours with it."""
    cuts = [index + 1 for index, (step, _) in enumerate(path) if step is None and index + 1 < len(path)]
    if not cuts:
        return finite.path(path)
    bounds = [0, *cuts, len(path)]
    return Pipe(tuple((finite.path(path[start:end]),) for start, end in pairwise(bounds)))
