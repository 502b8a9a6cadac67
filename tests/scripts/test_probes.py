from __future__ import annotations

import json

import pytest

from tests.scripts.engines import opened, value_of
from wfx.scripts.engine import ScriptEngine

CODE = json.dumps("globalThis.ran = 1; return 1")
KINDS = (
    "function () {}", "() => {}", "async function () {}", "async () => {}", "function* () {}", "async function* () {}",
    "class {}", "({ m() {} }).m", "Object.getOwnPropertyDescriptor({ get g() { return 1 } }, 'g').get",
    "(function () {}).bind(null)", "new Proxy(function () {}, {})", "Math.max",
)  # fmt: skip
BUILT_IN = (
    f"eval({CODE})", f"(0, eval)({CODE})", f"globalThis.eval({CODE})", f"globalThis['ev' + 'al']({CODE})",
    f"eval?.({CODE})", f"Reflect.apply(eval, null, [{CODE}])", f"[{CODE}].map(eval)", f"eval.call(null, {CODE})",
    f"new Function({CODE})()", f"Function({CODE})()", f"Function('a', {CODE})(1)",
    f"Reflect.construct(Function, [{CODE}])()", f"Reflect.apply(Function, null, [{CODE}])()",
    f"Function.prototype.constructor({CODE})()", f"Object.constructor({CODE})()",
    f"[].constructor.constructor({CODE})()",
    f"''.constructor.constructor({CODE})()", f"(1).constructor.constructor({CODE})()",
    f"Object.getPrototypeOf(async function () {{}}).constructor({CODE})()",
    f"Object.getPrototypeOf(function* () {{}}).constructor({CODE})().next()",
    f"Object.getPrototypeOf(async function* () {{}}).constructor({CODE})().next()",
    f"new Proxy(Function, {{}})({CODE})()",
    f"Function.bind(null, {CODE})()()", f"class extends Function {{}}.constructor({CODE})()",
)  # fmt: skip
ROUTES = [*(f"({kind}).constructor({CODE})()" for kind in KINDS), *BUILT_IN]
SWALLOWED = f"(Error.prepareStackTrace = () => (() => {{}}).constructor({CODE})()), new Error().stack"
"""The engine asks this function for a trace, and takes no notice that it throws."""
OWN = (
    'import("fs").then((fs) => { globalThis.ran = fs })',
    'import("data:text/javascript,globalThis.ran=1")',
    'import("std").then((std) => std.exit(1))',
    'import("os")',
    'require("fs").readFileSync("/etc/passwd")',
    'require("child_process").execSync("id")',
    "process.exit(1)",
    "process.binding('fs')",
    "new (class extends Function { constructor() { super('globalThis.ran = 1') } })()()",
    SWALLOWED,
    f"new RegExp('a').constructor.constructor({CODE})()",
    f"Symbol.for('a').constructor.constructor({CODE})()",
    f"(async () => {{}})().constructor.constructor({CODE})()",
    "setTimeout('globalThis.ran = 1', 0)",
    "setInterval('globalThis.ran = 1')",
    "new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]))",
    "new Worker('data:,')",
    "fetch('http://127.0.0.1')",
    "std.loadFile('/etc/passwd')",
    "os.exec(['id'])",
    "Deno.readTextFileSync('/etc/passwd')",
    "new ShadowRealm().evaluate('1')",
    f"JSON.parse('{{}}', function () {{ return this.constructor.constructor({CODE})() }})",
    f"[].sort.call([2, 1], (a, b) => (() => {{}}).constructor({CODE})())",
    f"`${{{{ toString: (() => {{}}).constructor({CODE}) }}}}`",
    f"new Proxy({{}}, {{ get: Function({CODE}) }}).a",
    f"Object.defineProperty({{}}, 'a', {{ get: Function({CODE}) }}).a",
    "bjson.read(new ArrayBuffer(8))",
    "globalThis.InternalError('out of memory')",
    "document.createElement('script')",
)


def probed(probe: str) -> str:
    """A script that tries a probe, waits for what it has begun, and tells what came of it."""
    return f"""
        async function main() {{
          let threw = false;
          try {{ await ({probe}) }} catch {{ threw = true }}
          for (let turn = 0; turn < 20; turn += 1) await null;
          return {{ payload: {{ threw, ran: typeof globalThis.ran }} }};
        }}"""


async def both(engine: ScriptEngine, probes: list[str]) -> dict[str, dict[str, object]]:
    """What came of each probe."""
    return {probe: (await value_of(engine, probed(probe)))["payload"] for probe in probes}


async def test_no_way_to_code() -> None:
    """Not one of 36 ways to turn text into code does: each throws."""
    assert len(ROUTES) == 36
    async with opened() as engine:
        assert await both(engine, ROUTES) == {route: {"threw": True, "ran": "undefined"} for route in ROUTES}


async def test_nothing_of_the_system() -> None:
    """Neither modules, files, processes, timers, networks nor other engines are there for a script."""
    async with opened() as engine:
        came = await both(engine, list(OWN))
    assert {str(what["ran"]) for what in came.values()} == {"undefined"}
    assert [probe for probe, what in came.items() if not what["threw"]] == [SWALLOWED]


@pytest.mark.parametrize(
    "name",
    [
        "Atomics", "SharedArrayBuffer", "WebAssembly", "console", "performance", "setTimeout", "setInterval", "WeakRef",
        "FinalizationRegistry", "InternalError", "DOMException", "atob", "navigator", "print", "std", "os", "bjson",
        "scriptArgs", "gc", "require", "process",
    ],
)  # fmt: skip
async def test_no_such_global(name: str) -> None:
    """Beyond the language itself, a script finds nothing: no timers, no shared memory, no console."""
    async with opened() as engine:
        assert await value_of(engine, f"payload = typeof {name}") == {"next": "", "payload": "undefined"}


async def test_the_language() -> None:
    """What JavaScript has had since 2024 is there."""
    async with opened() as engine:
        source = """
            class Counter { #count = 0; static { Counter.made = 1 } more() { return (this.#count ??= 5) + 1 } }
            const { year } = /(?<year>[0-9]{4})/.exec("in 2026").groups;
            const groups = Object.groupBy([1, 2, 3], (each) => (each % 2 ? "odd" : "even"));
            payload = [new Counter().more(), Counter.made, payload?.none?.less ?? "none", year, groups,
                       [3, 1, 2].toSorted(), `${2n ** 70n}`, [1, [2, [3]]].flat(2), new Set([1, 1]).size];
        """
        assert (await value_of(engine, source))["payload"] == [
            1, 1, "none", "2026", {"odd": [1, 3], "even": [2]}, [1, 2, 3], str(2**70), [1, 2, 3], 1
        ]  # fmt: skip
