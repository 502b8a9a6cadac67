from __future__ import annotations

import pytest

from tests.scripts.engines import opened
from wfx.scripts.analysis import findings_of
from wfx.scripts.runs import Finding, Severity, SourcePosition

FOUND = {
    "eval('1')": ["eval"],
    "(0, eval)('1')": ["eval"],
    "globalThis.eval('1')": ["eval"],
    "globalThis['eval']('1')": ["eval"],
    "new Function('return 1')": ["function"],
    "globalThis.Function('return 1')": ["function"],
    "(() => {}).constructor('return 1')": ["constructor"],
    "new (class {}.constructor)('a')": [],
    "[].constructor.constructor('a')": ["constructor", "constructor"],
    "({})['constructor']": ["constructor"],
    "require('fs')": ["require"],
    "require(`child_process`)": ["require", "child_process"],
    "import('node:child_process')": ["import", "child_process"],
    "import('fs')": ["import"],
    "process.exit(1)": ["process"],
    "while (true) {}": ["endless_loop"],
    "while (1);": ["endless_loop"],
    "do { f() } while (true)": ["endless_loop"],
    "for (;;) { for (;;) { break } }": ["endless_loop"],
    "for (;;) switch (payload) { case 1: break }": ["endless_loop"],
    "for (;;) { (() => { return 1 })() }": ["endless_loop"],
    "count = 1": ["global"],
    "globalThis.count = 1": ["global"],
    "globalThis['count'] = 1": ["global"],
    "Array.prototype.map = null": ["prototype"],
    "Array.prototype['map'] = null": ["prototype"],
    "payload.__proto__ = null": ["prototype"],
    "Object.setPrototypeOf(payload, null)": ["prototype"],
    "// eval('1')\n'eval'; `while (true) {}`; payload.process = /eval/": [],
    "const process = 1; process + 1": [],
    "function require(name) { return name } require('a')": [],
    "let count = 0; count += 1; payload = count; next = 'DONE'; nflow_data = null": [],
    "const { a, b: [c] } = payload; (d, e = 1) => { a = c; d = e }": [],
    "for (const each of payload) { each.done = 1 }": [],
    "for (;;) { if (payload) break; }": [],
    "function main() { while (true) { if (payload) return {} } }": [],
    "outer: for (;;) { for (;;) { break outer } }": [],
    "while (true) { throw 1 }": [],
    "while (0) {}": [],
    "class A { constructor() { this.name = this.constructor.name } }": [],
    "payload.prototype": [],
}


@pytest.mark.parametrize("source", FOUND)
def test_findings(source: str) -> None:
    """What runs text, loads, has no end, or changes globals or prototypes is found, and what only looks like it not."""
    assert sorted(each.type for each in findings_of(source.encode())) == sorted(FOUND[source])


def test_places() -> None:
    """A finding has a severity, and its place by lines and characters."""
    found = findings_of("const é = '😀'; eval(é)\r\n  while (true) {}\nk = 1".encode())
    assert [(each.type, each.severity, each.position) for each in found] == [
        ("eval", Severity.HIGH, SourcePosition(1, 16)),
        ("endless_loop", Severity.MEDIUM, SourcePosition(2, 3)),
        ("global", Severity.LOW, SourcePosition(3, 1)),
    ]


def test_large_sources() -> None:
    """A source that nests as deeply as it can, or is full of findings, is analysed all the same."""
    assert findings_of(b"(" * 1000) == []
    assert findings_of(b"[" * 32768 + b"]" * 32768) == []
    assert len(findings_of(b"eval(1);" * 8192)) == 100
    assert len(findings_of(b"for(;;){" * 1000 + b"}" * 1000)) <= 100


def test_what_is_severe_is_kept() -> None:
    """However much else is found before it, what has a script refused is in the findings."""
    found = findings_of(b"count = 1;" * 120 + b"eval('1')")
    assert len(found) == 100
    assert [each.type for each in found] == ["global"] * 99 + ["eval"]
    assert found[0].position == SourcePosition(1, 1)


async def test_an_analysis_by_a_worker() -> None:
    """The engine has a worker analyse a source."""
    async with opened() as engine:
        message = "eval runs text as code: there is nothing in a script that does"
        assert await engine.findings("eval('1')") == [Finding("eval", Severity.HIGH, message, SourcePosition(1, 1))]
        assert await engine.findings("payload = 1") == []
