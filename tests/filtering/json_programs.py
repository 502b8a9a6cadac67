"""Hypothesis strategies: JSON documents, finite programs over them, and jq programs of all sorts."""

from __future__ import annotations

from hypothesis import strategies as st

from wfx.domain.json import encode
from wfx.domain.numbers import normalise

_NAMES = ("a", "b", "c", "if", "x_1")
_TEXTS = st.text(st.characters(codec="utf-8"), max_size=6)
_NUMBERS = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)

values = st.recursive(
    st.none() | st.booleans() | _NUMBERS | _TEXTS | st.sampled_from(["a", "", 0, 1, 1.5]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(_NAMES) | _TEXTS, inner, max_size=4),
    max_leaves=12,
)


def written(value: object) -> bytes:
    """Write a document as the API does."""
    return encode(normalise(value))


def _comma(parts: list[str]) -> str:
    return ", ".join(parts)


_NAME = st.sampled_from(_NAMES)
_SCALAR = st.sampled_from(['"a"', '"ü <"', '""', "1", "0", "2.5", "1.50", "123456789", "true", "false", "null"])
_KEY = _NAME.map(".{}".format) | st.sampled_from(["[]", "[0]", "[-1]", '["b"]'])
_STEP = st.builds("{}{}".format, _KEY, st.sampled_from(["", "?"]))
_STEPS = st.lists(_STEP, min_size=1, max_size=4).map("".join)
_PATH = _STEPS.map(lambda steps: steps if steps[0] == "." else f".{steps}")
_FORWARD = _PATH.filter(lambda path: "-" not in path)
_SINGLE = _PATH.filter(lambda path: "[]" not in path)

_LEAF = (
    st.just(".")
    | _PATH
    | _SCALAR
    | st.sampled_from(["length", "keys", "type", "not", "empty", 'has("a")', "has(0)"])
    | st.lists(_FORWARD, min_size=1, max_size=3).map(_comma).map("del({})".format)
    | st.builds("{} {} {}".format, _SINGLE, st.sampled_from(["==", "!="]), _SCALAR)
)


def _pipes(part: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.lists(st.lists(part, min_size=1, max_size=2).map(_comma), min_size=1, max_size=3).map(" | ".join)


def _members(part: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    member = st.sampled_from([*_NAMES[:3], "x_1"])
    parts = st.dictionaries(member, st.none() | _SINGLE | _SCALAR | part.map("[{}]".format), max_size=3)
    return parts.map(lambda given: "{" + _comma([k if v is None else f"{k}: {v}" for k, v in given.items()]) + "}")


finite_programs = _pipes(
    st.recursive(
        _LEAF,
        lambda part: (
            _pipes(part).flatmap(lambda pipe: st.sampled_from([f"({pipe})", f"[{pipe}]", f"map({pipe})"]))
            | _SINGLE.map("select({})".format)
            | _members(part)
        ),
        max_leaves=6,
    ),
)
"""Texts of the grammar in :mod:`wfx.filtering.grammar`."""

_ANY_LEAF = _LEAF | st.sampled_from(
    ['error("e")', "$__loc__", '"a\\(1, 2)b"', "@base64", "..", "input", "halt", "{if: 1}", "reduce .[]? as $x (0; .)"],
)


def _jq(part: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pipe = _pipes(part)
    forms = (
        "({0})", "[{0}]", "{{a: ({0})}}", "if {0} then {1} elif . then 1 else {1} end", "try ({0}) catch ({1})",
        "reduce ({0}) as $x (0; {1})", "foreach .[]? as [$x, {{a: $y}}] (0; {0}; {1})", "map({0})",
        '"p\\({0})q\\("n\\({1})")"', "({0}) // ({1})", "({0}) as $v | {1}", ". as [$v] ?// $v | {0}",
        "def f: {0}; {1}, f", "def g(h; $k): {0}; g({1}; 1) | .", "label $out | {0}, break $out, 3", "first({0})?",
        ". # {0} \\\n\n, {1}",
    )  # fmt: skip
    return st.builds(lambda form, one, two: form.format(one, two), st.sampled_from(forms), pipe, pipe)


jq_programs = _pipes(st.recursive(_ANY_LEAF, _jq, max_leaves=6))
"""Texts that are jq programs, most of them."""
