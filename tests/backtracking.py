"""Runs regular expressions as Python's ``re`` does, by trying one way after the other, and counts the tries.

The count says what a pattern costs on a text, the same on every machine. (``re`` itself takes short cuts in places, so
it never tries more.)
"""

from __future__ import annotations

import re
import re._constants as constants  # type: ignore[import-not-found]  # the parser of re is not described in its stubs
import re._parser as parser  # type: ignore[import-not-found]
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Self

Rest = Callable[[int], bool]
Matcher = Callable[[int, Rest], bool]
"""Matches at a place; if the pattern fits up to another place, and the rest fits there, that is a match."""


class TooManyTriesError(Exception):
    """There is no end to the tries."""


@contextmanager
def _deep_recursion() -> Iterator[None]:
    """Let each character of a text take calls of its own."""
    former = sys.getrecursionlimit()
    sys.setrecursionlimit(100_000)
    try:
        yield
    finally:
        sys.setrecursionlimit(former)


class Backtracking:
    """A pattern, which can be tried on one text after the other."""

    def __init__(self, pattern: re.Pattern[Any]) -> None:
        """Prepare."""
        self._pattern = pattern
        self._binary = isinstance(pattern.pattern, bytes)
        self._characters: list[re.Pattern[Any]] = []
        self._match = self._sequence(parser.parse(pattern.pattern, pattern.flags & ~re.DEBUG))
        self._text: Any = None
        self._most = 0
        self.tries = 0
        """How often a character was looked at or a place was tried, on the present text."""

    def on(self, text: Any, most: int = 1_000_000) -> Self:
        """Take up another text; after so many tries matching raises TooManyTriesError."""
        self._text, self._most, self.tries = text, most, 0
        return self

    def alphabet(self) -> list[str]:
        """One character of each sort that the pattern tells apart."""
        sorts: dict[tuple[bool, ...], str] = {}
        for code in (*range(0x20, 0x7F), *range(0x20), *range(0x7F, 0x100)):
            character: Any = bytes([code]) if self._binary else chr(code)
            sorts.setdefault(tuple(bool(known.match(character)) for known in self._characters), chr(code))
        return list(sorts.values())

    def spans(self, *, skips: bool = True) -> list[tuple[int, int]]:
        """All matches from left to right, as ``finditer`` gives them; or up to the first place where none begins."""
        found, at = [], 0
        with _deep_recursion():
            while at <= len(self._text):
                end = self._run(at, _anywhere)
                if end is not None:
                    found.append((at, end))
                elif not skips:
                    break
                at = at + 1 if end is None or end == at else end
        return found

    def fullmatch(self) -> int | None:
        """Where a match of the whole text ends."""
        with _deep_recursion():
            return self._run(0, lambda end: end == len(self._text))

    def _run(self, at: int, accept: Rest) -> int | None:
        ends: list[int] = []

        def rest(end: int) -> bool:
            if accept(end):
                ends.append(end)
            return bool(ends)

        self._try()
        self._match(at, rest)
        return ends[0] if ends else None

    def _try(self) -> None:
        self.tries += 1
        if self.tries > self._most:
            raise TooManyTriesError

    def _sequence(self, items: Any) -> Matcher:
        matchers = [self._item(kind, argument) for kind, argument in items]
        if len(matchers) == 1:
            return matchers[0]

        def match(at: int, rest: Rest) -> bool:
            for matcher in reversed(matchers):
                rest = _then(matcher, rest)
            return rest(at)

        return match

    def _item(self, kind: Any, argument: Any) -> Matcher:
        match kind:
            case constants.LITERAL | constants.NOT_LITERAL | constants.ANY | constants.IN:
                return self._character(kind, argument)
            case constants.BRANCH:
                branches = [self._sequence(branch) for branch in argument[1]]
                return lambda at, rest: any(branch(at, rest) for branch in branches)
            case constants.SUBPATTERN:
                return self._sequence(argument[3])
            case constants.MAX_REPEAT | constants.MIN_REPEAT | constants.POSSESSIVE_REPEAT:
                least, most, item = argument
                matcher = self._repeat(self._sequence(item), least, most, greedy=kind is not constants.MIN_REPEAT)
                return _first_way(matcher) if kind is constants.POSSESSIVE_REPEAT else matcher
            case constants.AT:
                return self._place(argument)
            case constants.ASSERT | constants.ASSERT_NOT:
                return self._look(self._sequence(argument[1]), argument, wanted=kind is constants.ASSERT)
        raise NotImplementedError(kind)

    def _character(self, kind: Any, argument: Any) -> Matcher:
        single = re.compile(_class_of(kind, argument, binary=self._binary), self._pattern.flags & ~re.VERBOSE)
        self._characters.append(single)

        def match(at: int, rest: Rest) -> bool:
            self._try()
            return at < len(self._text) and single.match(self._text, at, at + 1) is not None and rest(at + 1)

        return match

    def _repeat(self, item: Matcher, least: int, most: Any, *, greedy: bool) -> Matcher:
        def match_after(count: int, since: int, at: int, rest: Rest) -> bool:
            def again() -> bool:
                if (most is not constants.MAXREPEAT and count >= most) or (count > least and at == since):
                    return False
                return item(at, lambda end: match_after(count + 1, at, end, rest))

            if count < least:
                return again()
            return again() or rest(at) if greedy else rest(at) or again()

        return lambda at, rest: match_after(0, -1, at, rest)

    def _place(self, where: Any) -> Matcher:
        multiline = self._pattern.flags & re.MULTILINE
        breaks = ("\n", b"\n")

        def is_word(character: Any) -> bool:
            word: Any = r"\w" if isinstance(character, str) else rb"\w"
            return re.fullmatch(word, character, self._pattern.flags & re.ASCII) is not None

        def fits(at: int) -> bool:
            text = self._text
            match where:
                case constants.AT_BEGINNING_STRING:
                    return at == 0
                case constants.AT_BEGINNING:
                    return at == 0 or bool(multiline and text[at - 1 : at] in breaks)
                case constants.AT_END_STRING:
                    return at == len(text)
                case constants.AT_END:
                    last = at == len(text) or (at == len(text) - 1 and text[at:] in breaks)
                    return last or bool(multiline and text[at : at + 1] in breaks)
                case constants.AT_BOUNDARY:
                    return is_word(text[max(at - 1, 0) : at]) != is_word(text[at : at + 1])
            raise NotImplementedError(where)

        return lambda at, rest: fits(at) and rest(at)

    def _look(self, item: Matcher, argument: Any, *, wanted: bool) -> Matcher:
        direction, inner = argument
        width = inner.getwidth()[1] if direction < 0 else 0

        def match(at: int, rest: Rest) -> bool:
            found = at >= width and item(at - width, lambda end: direction > 0 or end == at)
            return found is wanted and rest(at)

        return match


def _first_way(matcher: Matcher) -> Matcher:
    def match(at: int, rest: Rest) -> bool:
        ends: list[int] = []

        def end_here(end: int) -> bool:
            ends.append(end)
            return True

        return matcher(at, end_here) and rest(ends[0])

    return match


def _anywhere(_: int) -> bool:
    return True


def _then(matcher: Matcher, rest: Rest) -> Rest:
    return lambda at: matcher(at, rest)


def _class_of(kind: Any, argument: Any, *, binary: bool) -> Any:
    """Write down a pattern of one character."""
    match kind:
        case constants.ANY:
            written = "."
        case constants.LITERAL:
            written = _escaped(argument)
        case constants.NOT_LITERAL:
            written = f"[^{_escaped(argument)}]"
        case _:
            written = f"[{''.join(_member(*member) for member in argument)}]"
    return written.encode("latin-1") if binary else written


_CATEGORIES = {
    constants.CATEGORY_DIGIT: r"\d", constants.CATEGORY_NOT_DIGIT: r"\D", constants.CATEGORY_SPACE: r"\s",
    constants.CATEGORY_NOT_SPACE: r"\S", constants.CATEGORY_WORD: r"\w", constants.CATEGORY_NOT_WORD: r"\W",
}  # fmt: skip


def _member(kind: Any, argument: Any) -> str:
    match kind:
        case constants.NEGATE:
            return "^"
        case constants.LITERAL:
            return _escaped(argument)
        case constants.RANGE:
            return f"{_escaped(argument[0])}-{_escaped(argument[1])}"
        case constants.CATEGORY:
            return _CATEGORIES[argument]
    raise NotImplementedError(kind)


def _escaped(code: int) -> str:
    return f"\\x{code:02x}" if code < 256 else f"\\U{code:08x}"
