from __future__ import annotations

import asyncio
import json

import pytest

from tests.scripts.engines import opened, outcome_of, value_of, workers
from wfx.scripts.runs import Fault, Outcome, RunRequest, SourcePosition

NO_OBJECT = "TypeError: a script gives an object with next and payload"
NEVER = "TypeError: the promise never settles"
VARYING = "payload = [Math.random(), Math.random(), Date.now(), new Date(), `${new Error('x').stack}`, payload]"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("function main(p) { return { next: 'DONE', payload: { score: p.a * 2 } } }",
         {"next": "DONE", "payload": {"score": 6}}),
        ("const main = (p) => ({ payload: p, actions: [{ type: 'add_tags' }], other: 1 })",
         {"payload": {"a": 3}, "actions": [{"type": "add_tags"}]}),
        ("function main() { return { actions: [] } }", {"actions": []}),
        ("String.prototype.slice = null; function main() { return { next: 'A', actions: [{}] } }",
         {"next": "A", "actions": [{}]}),
        ("next = 'DONE'; payload.b = nflow_data.fact", {"next": "DONE", "payload": {"a": 3, "b": [1]}}),
        ("async function main(p) { await null; return { payload: await Promise.all([p.a, 4]) } }", {"payload": [3, 4]}),
        ("let next = 'OWN'", {"next": "OWN", "payload": {"a": 3}}),
        ("// nothing, and no end of line", {"next": "VALIDATE", "payload": {"a": 3}}),
        ("payload = { x: undefined, n: null, e: 'é\u2028\\ud800', z: -0, i: 1 / 0 }",
         {"next": "VALIDATE", "payload": {"n": None, "e": "é\u2028\ud800", "z": 0, "i": None}}),
    ],
)  # fmt: skip
async def test_what_a_script_gives(source: str, expected: object) -> None:
    """A script gives what ``main`` returns, else the globals ``next`` and ``payload`` as it leaves them."""
    async with opened() as engine:
        asked = {"payload": b'{"a":3}', "next": "VALIDATE", "nflow_data": b'{"fact":[1]}'}
        assert await value_of(engine, source, **asked) == expected


@pytest.mark.parametrize(
    ("source", "outcome", "message", "place"),
    [
        ("throw new RangeError('no')", Outcome.ERROR, "RangeError: no", SourcePosition(1, 11)),
        ("\n  é = '😀'; none.a", Outcome.ERROR, "ReferenceError: none is not defined", SourcePosition(2, 12)),
        ("throw null", Outcome.ERROR, "null", None),
        ("Array.prototype.toJSON = String.prototype.toJSON = () => 'abc'; throw 'own'", Outcome.ERROR, "own", None),
        ("throw '\\ud800\\n\\u2028'", Outcome.ERROR, "?\n\u2028", None),
        ("throw new Error('a\\udc00')", Outcome.ERROR, "Error: a?", SourcePosition(1, 11)),
        ("throw Symbol()", Outcome.ERROR, "a symbol", None),
        ("throw { get message() { throw 1 } }", Outcome.ERROR, "an exception that cannot be told", None),
        ("throw { message: 'a', stack: 'script:99:1' }", Outcome.ERROR, "undefined: a", None),
        ("async function main() { await null; throw new Error('late') }", Outcome.ERROR, "Error: late",
         SourcePosition(1, 47)),
        ("function main() { return new Promise(() => {}) }", Outcome.RESULT, NEVER, None),
        ("function main() {}", Outcome.RESULT, NO_OBJECT, None),
        ("function main() { return [] }", Outcome.RESULT, NO_OBJECT, None),
        ("function main() { return { next: 3 } }", Outcome.RESULT, "TypeError: next is the name of a state", None),
        ("function main() { return { actions: {} } }", Outcome.RESULT, "TypeError: actions is a list", None),
        ("Array.prototype.toJSON = () => 'x'; function main() { return { actions: [1] } }", Outcome.RESULT,
         "TypeError: actions is a list", None),
        ("Array.prototype.toJSON = () => {}; function main() { return { actions: [] } }", Outcome.RESULT,
         "TypeError: actions is a list", None),
        ("payload.own = payload", Outcome.RESULT, "TypeError: circular reference", None),
        ("payload = 1n", Outcome.RESULT, "TypeError: BigInt are forbidden in JSON.stringify", None),
        ("payload = { toJSON() { throw new Error('own') } }", Outcome.RESULT, "Error: own", None),
    ],
)  # fmt: skip
async def test_what_a_script_does_wrong(
    source: str, outcome: Outcome, message: str, place: SourcePosition | None
) -> None:
    """An exception, or a result that is none, is told with its message and, where there is one, its place."""
    async with opened() as engine:
        result = await outcome_of(engine, source)
        assert (result.outcome, result.fault, result.value) == (outcome, Fault(message, place), b"")
        assert await value_of(engine, "payload = 1") == {"next": "", "payload": 1}


@pytest.mark.parametrize(
    ("source", "message", "place"),
    [
        ("let x = 08n", "SyntaxError: invalid number literal", SourcePosition(1, 9)),
        ("var a = 1;\n  return 5", "SyntaxError: return not in a function", SourcePosition(2, 3)),
        ("é = '😀😀'; foo bar", "SyntaxError: expecting ';'", SourcePosition(1, 15)),
        ("function main() {\n  return {\n    a: 1\n", "SyntaxError: Unexpected end of input", SourcePosition(4, 1)),
        ("import x from 'y'", "SyntaxError: Unexpected identifier 'x'", SourcePosition(1, 8)),
        ("export default 1", "SyntaxError: unsupported keyword: export", SourcePosition(1, 1)),
        ("let a;\r\nlet a", "SyntaxError: invalid redefinition of lexical identifier", SourcePosition(2, 6)),
        ("a\0b", "the script has the character U+0000", SourcePosition(1, 2)),
        ("'\ud800'", "the script has half of a character (a lone surrogate)", SourcePosition(1, 2)),
    ],
)
async def test_wrong_syntax(source: str, message: str, place: SourcePosition) -> None:
    """A source that is no script is refused with the place in the author's own text, in characters."""
    async with opened() as engine:
        verdict = await engine.check(source)
        assert (verdict.outcome, verdict.fault) == (Outcome.SYNTAX, Fault(message, place))
        result = await outcome_of(engine, source)
        assert (result.outcome, result.fault) == (Outcome.SYNTAX, Fault(message, place))


async def test_a_run_is_a_function_of_its_request() -> None:
    """200 runs of one request in two workers give equal bytes; another seed, time or input gives others."""
    async with opened(processes=2) as engine:
        request = RunRequest(VARYING, b'{"a":[1]}', seed=7, time=1764500000.25)
        results = await asyncio.gather(*(engine.run(request, str(number)) for number in range(200)))
        assert len(workers()) == 2
        assert {each.outcome for each in results} == {Outcome.DONE}
        (value,) = {each.value for each in results}
        drawn = json.loads(value)["payload"]
        assert drawn[2:4] == [1764500000250, "2025-11-30T10:53:20.250Z"]
        assert 0 <= min(drawn[:2]) < max(drawn[:2]) < 1
        others = [{"seed": 8}, {"time": 1764500001.0}, {"payload": b"[]"}]
        different = {json.dumps(await value_of(engine, VARYING, **other)) for other in others}
        assert len(different | {json.dumps(json.loads(value))}) == 4


async def test_nothing_is_left_for_the_next_run() -> None:
    """A global, a changed built-in, a symbol or memory that one run left is absent in the next, whatever ended it."""
    leave = """
        globalThis.k = 1; var v = 1; function f() {} Array.prototype.map = null; Object.prototype.own = 1;
        Math.random = JSON.stringify = JSON.parse = Promise.prototype.then = null; delete globalThis.Map;
    """
    look = """payload = [typeof k, typeof v, typeof f, typeof [].map, typeof {}.own, typeof Math.random, typeof Map,
                          typeof JSON.stringify, new Uint8Array(1 << 20).every((each) => each === 0), Math.random()]"""
    async with opened() as engine:
        before = await value_of(engine, look)
        assert before["payload"][:3] == ["undefined"] * 3
        fill = "const a = []; for (let i = 0; i < 20; i++) a.push(new Uint8Array(1e6).fill(255));"
        late = "Promise.resolve().then(() => { globalThis.late = 1 })"
        traps = ("(function f() { f() })()", 'JSON.parse("[".repeat(1e6))')
        for end in ("", "throw 1", "for (;;);", fill, "new Uint8Array(2 ** 30)", *traps, late):
            await outcome_of(engine, leave + end)
            assert await value_of(engine, look) == before
        assert len(workers()) == 1


async def test_what_is_compiled_is_kept() -> None:
    """The same source is compiled once as long as it is among those that were used last."""
    async with opened(compiled=2) as engine:
        for source in ("payload = 1", "payload = 2", "payload = 1", "payload = 3"):
            await value_of(engine, source)
        assert len(engine._bytecodes) == 2
        kept = list(engine._bytecodes.values())
        assert (await engine.check("payload = 1")).bytecode is kept[0]
