"""Rewriter of jq programs so that libjq continues after an error.

The contract writes ``{}`` in place of an output that failed and goes on: ``1, error("x"), 3`` gives three lines
(rest-api section 11). libjq ends at the first error. So each part of the program's outermost pipes and commas is
wrapped on its own: a part that fails gives a *mark* instead, which passes all further stages and is written as ``{}``.

    .a , (.b | error)   →   (try (.a) catch MARK), ((try (.b) catch MARK) | (if . == MARK then . else … end))

Parentheses are looked into, and so are definitions, bindings (``… as $x | …``) and paths, which are cut behind each
``[]``. Everything else (arrays, objects, arguments, ``reduce``, ``if`` …) is one part: when it fails, then as a whole.
The text must be a valid program; what this module does not understand it leaves as one part.
"""

from __future__ import annotations

from itertools import pairwise

from wfx.jq_language.tokens import CLOSING, NotUnderstoodError, Token, tokens_of

_PLAIN_MARKS = frozenset({".", "..", "?"})
_BINDERS = frozenset({"as", "def", "label"})


def wrap(program: str, mark: str) -> str:
    """Wrap the parts of ``program``; ``mark`` is a jq literal. Raises NotUnderstoodError, also for too deep nesting."""
    try:
        return _Rewriter(program, mark).expression(tokens_of(program))
    except RecursionError as exc:
        raise NotUnderstoodError("nested too deeply") from exc


def wrap_whole(program: str, mark: str) -> str:
    """Wrap ``program`` as one part."""
    return f"(try ({program}\n\n) catch {mark})"  # a comment at the end may take one line break with it


class _Rewriter:
    def __init__(self, text: str, mark: str) -> None:
        self._text = text
        self._mark = mark

    def expression(self, tokens: list[Token]) -> str:
        """Rewrite a whole pipe."""
        if not tokens:
            raise NotUnderstoodError("nothing there")
        depth = tokens[0].depth
        if tokens[0].text == "def" and tokens[0].kind == "word":
            end = next(i for i, token in enumerate(tokens) if i and token.depth == depth and token.text == ";")
            return f"{self._source(tokens[: end + 1])} {self.expression(tokens[end + 1 :])}"
        stages: list[str] = []
        while tokens:
            alternatives, tokens = self._stage(tokens, depth)
            stages.append(", ".join(alternatives))
        return self._pipe(stages)

    def _pipe(self, stages: list[str]) -> str:
        """Let a mark pass all stages but the first, which never sees one."""
        first, *others = stages
        return " | ".join([first, *(f"(if . == {self._mark} then . else ({stage}) end)" for stage in others)])

    def _stage(self, tokens: list[Token], depth: int) -> tuple[list[str], list[Token]]:
        """Rewrite the alternatives up to the next ``|``; give what follows it."""
        alternatives: list[str] = []
        start = 0
        for index, token in enumerate(tokens):
            if token.depth != depth or token.kind not in {"mark", "word"}:
                continue
            if token.kind == "word" and token.text in _BINDERS:
                return [*alternatives, self._binding(tokens[start:], index - start)], []
            if token.kind == "mark" and token.text in {",", "|"}:
                alternatives.append(self._part(tokens[start:index]))
                start = index + 1
                if token.text == "|":
                    return alternatives, tokens[start:]
        return [*alternatives, self._part(tokens[start:])], []

    def _binding(self, tokens: list[Token], at: int) -> str:
        """Rewrite an alternative with a binder at ``at``: it reaches to the end of the pipe."""
        depth = tokens[0].depth
        bar = next((i for i, token in enumerate(tokens) if i > at and token.depth == depth and token.text == "|"), None)
        source, pattern = tokens[:at], tokens[at:bar]
        if (
            bar is None
            or tokens[at].text != "as"
            or not self._is_term(source)
            or any(token.text == "?//" for token in pattern)
        ):
            return self._guard(self._source(tokens))
        body = self.expression(tokens[bar + 1 :])
        return self._guard(f"{self._source(tokens[:bar])} | {body}")

    def _part(self, tokens: list[Token]) -> str:
        if not tokens:
            raise NotUnderstoodError("nothing between two separators")
        depth = tokens[0].depth
        outer = [index for index, token in enumerate(tokens) if token.depth == depth]
        if tokens[0].text == "(" and outer == [0, len(tokens) - 1]:
            return f"({self.expression(tokens[1:-1])})"
        if tokens[0].text[0] != "." or not self._is_term(tokens):
            return self._guard(self._source(tokens))
        cuts = [index + 2 for index in outer if tokens[index].text == "[" and tokens[index + 1].text == "]"]
        cuts = [index + (index < len(tokens) and tokens[index].text == "?") for index in cuts]
        return self._path(tokens, [index for index in cuts if index < len(tokens)])

    def _path(self, tokens: list[Token], cuts: list[int]) -> str:
        """Rewrite a path as a pipe of its pieces."""
        stages = []
        for start, end in pairwise([0, *cuts, len(tokens)]):
            piece = self._source(tokens[start:end])
            stages.append(self._guard("." + piece if piece[0] == "[" else piece))
        return f"({self._pipe(stages)})"

    def _is_term(self, tokens: list[Token]) -> bool:
        """Tell whether this is one operand, without an operator or a keyword."""
        depth = tokens[0].depth if tokens else 0
        closers = set(CLOSING) | set(CLOSING.values())
        return bool(tokens) and all(
            token.depth != depth
            or token.kind in {"field", "literal", "number", "string"}
            or (token.kind == "mark" and (token.text in _PLAIN_MARKS or token.text in closers))
            or (token.kind == "word" and len(tokens) == 1)
            for token in tokens
        )

    def _guard(self, text: str) -> str:
        return f"(try ({text}) catch {self._mark})"

    def _source(self, tokens: list[Token]) -> str:
        return self._text[tokens[0].start : tokens[-1].end]
