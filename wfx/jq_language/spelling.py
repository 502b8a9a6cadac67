"""Rewriter of jq programs so that numbers that become text are spelled as in output.

    3.0 | tostring              →   3 | tostring
    try (. + "a") catch .       →   try _catching((. + "a")) catch .

The second lets a program see error messages with numbers spelled alike (``_catching`` is one of the
:mod:`wfx.jq_language.definitions`). A text that is not understood stays as it is.
"""

from __future__ import annotations

from wfx.jq_language.numbers import text_of
from wfx.jq_language.tokens import NotUnderstoodError, Token, tokens_of


def plain(program: str) -> str:
    """Rewrite a valid program."""
    try:
        return _rewritten(program)
    except (NotUnderstoodError, RecursionError):
        return program


def _rewritten(program: str) -> str:
    pieces: list[str] = []
    tries: dict[int, list[int]] = {}
    position = 0
    tokens = tokens_of(program)
    for token, following in zip(tokens, [*tokens[1:], None], strict=True):
        pieces.append(program[position : token.start])
        position = token.end
        keyword = token.kind == "word" and (following is None or following.text not in {":", ",", "}"})
        if keyword and token.text == "try":
            tries.setdefault(token.depth, []).append(len(pieces))
        if keyword and token.text == "catch" and tries.get(token.depth):
            pieces[tries[token.depth].pop()] = "try _catching("
            pieces.append(")")
        pieces.append(_respelled(program, token))
    return "".join([*pieces, program[position:]])


def _respelled(program: str, token: Token) -> str:
    if token.kind == "number":
        try:
            return text_of(float(token.text))
        except (ValueError, OverflowError):
            return token.text
    pieces: list[str] = []
    position = token.start
    for start, end in token.programs:
        pieces += program[position:start], _rewritten(program[start:end])
        position = end
    return "".join([*pieces, program[position : token.end]])
