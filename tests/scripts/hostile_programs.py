"""Programs that are meant to do harm, or that nobody would write: a grammar for Hypothesis."""

from __future__ import annotations

from functools import partial

from hypothesis import strategies as st

_VALUES = (
    "undefined",
    "null",
    "NaN",
    "-0",
    "1",
    "2 ** 31",
    "2 ** 32 - 1",
    "2 ** 53",
    "1e308",
    "-1",
    "7n",
    "2n ** 64n",
    "'a'",
    "'\\ud800'",
    "'\\u{1F600}'",
    "'__proto__'",
    "`${payload}`",
    "[]",
    "{}",
    "[1, 2, 3]",
    "/(a+)+$/",
    "a",
    "b",
    "payload",
    "next",
    "nflow_data",
    "globalThis",
    "Symbol()",
    "Symbol.iterator",
    "Symbol.toPrimitive",
    "new Date(8.64e15)",
    "new Map([[NaN, NaN]])",
    "new Set(payload)",
    "() => {}",
    "function () { return this }",
    "class { static #x = 1 }",
    "async () => { throw null }",
    "function* () { yield* this }",
    "new Uint8Array(65536)",
    "new DataView(new ArrayBuffer(8))",
    "new Proxy({}, {})",
    "Promise.reject(1)",
    "new Error('e')",
    "Math.random()",
    "Date.now()",
    "main",
    "Reflect.ownKeys(Array)",
)
_AROUND = (
    "({0}) + ({1})",
    "[{0}, {1}]",
    "({{ a: {0}, [{1}]: 1, __proto__: {0} }})",
    "({0})?.[{1}]",
    "typeof ({0})",
    "Object.assign({{}}, {0}, {1})",
    "Object.defineProperty({{}}, 'a', {{ get() {{ return {0} }}, enumerable: true }})",
    "new Proxy({{}}, {{ get: () => {0}, ownKeys: () => [{1}], has: () => {1} }})",
    "JSON.stringify({0}, {1})",
    "({{ toString: () => {0}, valueOf() {{ throw {1} }}, toJSON: (k) => {1} }})",
    "Array.from({{ length: 9, 0: {0} }}, () => {1})",
    "`${{{0}}}${{{1}}}`",
    "Reflect.apply(() => {0}, {1}, [{1}])",
    "Object.freeze([{0}, {1}])",
    "String({0}).padEnd(9999, {1})",
    "Array.prototype.concat.call({0}, {1})",
    "(() => {{ try {{ return {0} }} finally {{ {1} }} }})()",
    "new Function({0})({1})",
    "({0}).constructor.constructor({1})",
    "eval({0})",
    "Object.setPrototypeOf({{}}, {0})",
    "structuredClone({0})",
    "import({0})",
)
_STATEMENTS = (
    "{0};",
    "payload = {0};",
    "next = {0};",
    "payload.a = {0};",
    "let a = {0}, b = {1};",
    "var a = {0};",
    "throw {0};",
    "for (let i = 0; i < 1e9; i++) {0};",
    "while (true) {0};",
    "do {0}; while (1);",
    "for (const k in {0}) {1};",
    "for (const v of {0}) {1};",
    "try {{ {0} }} catch (e) {{ {1} }} finally {{ {0} }}",
    "if ({0}) {1}; else {0};",
    "label: for (;;) {{ {0}; continue label }}",
    "switch ({0}) {{ case {1}: default: {0} }}",
    "delete globalThis[{0}];",
    "globalThis.kept = {0};",
    "Object.prototype.kept = {0};",
    "Array.prototype[Symbol.iterator] = () => {0};",
    "Object.defineProperty(Object.prototype, 'then', {{ get() {{ return {0} }} }});",
    "Array.prototype.toJSON = () => {0};",
    "Promise.prototype.then = {0};",
    "JSON.stringify = () => {0};",
    "Math.random = () => {0};",
    "Error.prepareStackTrace = () => {0};",
    "function main(p) {{ return {0} }}",
    "async function main(p) {{ await {0}; return {1} }}",
    "function* main(p) {{ yield {0}; return {1} }}",
    "const main = new Proxy(() => {0}, {{ apply: () => {1} }});",
    "(async () => {{ for (;;) await {0} }})();",
    "Promise.resolve({0}).then(function f(v) {{ return Promise.resolve({1}).then(f) }});",
    "function f(x) {{ return f([{0}, x]) }} f({1});",
    "(function* g() {{ yield* g() }})().next({0});",
    "const held = []; for (;;) held.push(() => [{0}, held.length, {1}]);",
    "let s = 'a'; for (;;) s += s + {0};",
    "const all = []; for (;;) all.push(new Array(99999).fill({0}));",
    "for (let x = 3n;; x **= 3n) {0};",
    "let x = 9n ** 99999n; for (;;) x * x;",
    "'b'.repeat(1e7).replace(/b/g, () => {0});",
    "'a'.repeat(2 ** 28).split('').sort();",
    "/^(a|a)*$/.test('a'.repeat(40) + 'b');",
    "/(?:(?:(?:x?){{99}}){{99}}){{99}}/.exec('x'.repeat(9999));",
    "new RegExp('('.repeat(9999) + {0});",
    "/(?<=(a*)*)b/.exec('a'.repeat(9999));",
    "[3, 1, 2].sort(() => {0});",
    "Array(3e6).fill(1).sort(() => Math.random() - 0.5);",
    "JSON.parse('['.repeat(1e6));",
    "JSON.parse('{{\"a\":'.repeat(1e5) + '1' + '}}'.repeat(1e5));",
    "JSON.stringify(JSON.parse('[' + '[],'.repeat(1e5) + '1]'));",
    "let deep = {0}; for (let i = 0; i < 1e5; i++) deep = {{ deep }}; payload = deep;",
    "payload = {{ toJSON() {{ return this }} }};",
    "payload = {{ get a() {{ return {0} }}, toJSON: undefined }};",
    "const own = {{}}; own.own = own; payload = own;",
    "throw {{ get message() {{ throw {0} }}, get stack() {{ return {1} }} }};",
    "throw new Proxy(new Error(), {{ get() {{ return {0} }} }});",
    "throw {{ name: {{ toString() {{ for (;;) {0} }} }} }};",
    "throw new AggregateError([{0}], 'x'.repeat(1e6));",
    "new Float64Array(new ArrayBuffer(2 ** 24)).fill({0});",
    "new Uint8Array(2 ** 30);",
    "new ArrayBuffer(8, {{ maxByteLength: 2 ** 31 }}).resize(2 ** 30);",
    "new DataView(new ArrayBuffer(1)).setFloat64(0, {0});",
    "const u = new Uint32Array(9); u.set({0}, 1e9); u.length = {1};",
    "payload = 'x'.repeat(2 ** 21);",
    "payload = Array(2 ** 20).fill({0});",
    "payload = {{ a: '\\ud800', ['\\0']: {0} }};",
    "return {{ next: {0} }};",
    "function main() {{ return {{ next: 'DONE', payload: {0}, actions: [{1}] }} }}",
    "function main() {{ return {{ actions: [{{ type: 'create_job', params: {0} }}, {{ type: {1} }}] }} }}",
    "function main() {{ return {{ then(f) {{ for (;;) f({0}) }} }} }}",
    "function main() {{ return {{ get next() {{ return {0} }} }} }}",
    "new Date({0}).toISOString();",
    "new Date(1e99).toLocaleString({0});",
    "'a'.localeCompare({0}); (1e21).toLocaleString();",
    "({0})[Symbol.toPrimitive] = () => {1};",
    "class A extends ({0}) {{ constructor() {{ super({1}) }} }} new A();",
    "with ({0}) {1};",
    "debugger; yield: await: {0};",
    "[payload, next] = [{0}, {1}];",
    "({{ payload, ...next }} = {0});",
    "setTimeout({0}, 0); queueMicrotask({1});",
    "require('fs'); process.exit(1);",
    "InternalError('out of memory');",
    "globalThis.__proto__ = null; payload = {0};",
    "Object.freeze(globalThis); payload = {0};",
    "payload = new Proxy({{}}, {{ ownKeys() {{ for (;;) {0} }} }});",
    "Object.defineProperty(globalThis, 'payload', {{ get() {{ return {0} }}, set() {{ throw {1} }} }});",
    "function payload() {{ return next() }} function next() {{ payload() }}",
)
_NESTING = (
    ("(", ")"),
    ("[", "]"),
    ("{", "}"),
    ("({a:", "})"),
    ("`${", "}`"),
    ("!", ""),
    ("-", ""),
    ("a=>", ""),
    ("(()=>{", "})()"),
    ("if(1)", ";"),
    ("for(;;){", "}"),
    ("try{", "}finally{}"),
    ("new ", ""),
    ("await ", ""),
    ("class{a=", "}"),
    ("f(", ")"),
    ("a?b:", "c"),
    ("a?.[", "]"),
    ("(b=", ")=>1"),
    ("{a:[", "]}"),
    ("function f(a=", "){}"),
    ("/(", "/"),
    ("<!--", "-->"),
)
_MARKS = "(){}[]`'\"\\/*;,.:?=>+-!~^&|#@$% \n\t\0\u2028\ufeffé\U0001f600ab019n"


def programs() -> st.SearchStrategy[bytes]:
    """Sources as they are uploaded: most of them scripts, some damaged, some no text at all."""
    scripts = st.lists(_statements(), min_size=1, max_size=4).map("\n".join)
    return st.one_of(
        *[scripts.map(str.encode)] * 6,
        st.builds(_cut, scripts, st.integers(1, 200)).map(str.encode),
        st.builds(_nested, st.sampled_from(_NESTING), st.sampled_from([9, 200, 999, 9999]), scripts).map(str.encode),
        st.builds(_padded, scripts, st.sampled_from([65_536, 1_000_000])).map(str.encode),
        st.builds(partial(str.replace), scripts, st.sampled_from(_MARKS), st.sampled_from(_MARKS)).map(str.encode),
        st.text(_MARKS, min_size=1, max_size=200).map(str.encode),
        st.text(st.characters(), min_size=1).map(lambda text: text.encode(errors="surrogatepass")),
        st.binary(min_size=1, max_size=200),
    )


def _values() -> st.SearchStrategy[str]:
    return st.recursive(
        st.sampled_from(_VALUES),
        lambda inner: st.builds(str.format, st.sampled_from(_AROUND), inner, inner),
        max_leaves=4,
    )


def _statements() -> st.SearchStrategy[str]:
    values = _values()
    return st.builds(str.format, st.sampled_from(_STATEMENTS), values, values)


def _cut(script: str, at: int) -> str:
    return script[: max(1, len(script) - at)]


def _nested(marks: tuple[str, str], depth: int, script: str) -> str:
    left, right = marks
    return f"{left * depth}{script.rstrip(';')}{right * depth}"


def _padded(script: str, size: int) -> str:
    return f"{script}\n//{'x' * (size - len(script.encode()) - 3)}"
