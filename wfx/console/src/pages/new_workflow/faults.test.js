import assert from "node:assert/strict";
import { test } from "node:test";
import { saidBy } from "./faults.js";
import { drawable } from "./shape.js";
import { read, write } from "./source.js";

const TEXT = `name: a
states:
  - name: A
  - {name: A}
  - name: B
groups:
  - name: O
    states: [A]
  - name: O
    states:
      - B
      - A
transitions:
  - from: A
    to: C
    eligible: CLIENT
  - {from: A, to: C, eligible: CLIENT}
  - {from: B, to: A, eligible: WFX, action: IMMEDIATE}
  - {from: B, to: B, eligible: WFX, action: IMMEDIATE}
  - {from: B, to: A, eligible: CLIENT}
`;

/** @param {string[]} messages @param {string} [text] */
function linesOf(messages, text = TEXT) {
  const source = read(text);
  const error = { message: "", data: { errors: messages.map((message) => ({ message })) } };
  return saidBy(error, source.value).map(({ place }) => source.lineOf(place));
}

for (const [message, line] of /** @type {const} */ ([
  ["state 'A' exists already: state names must be unique", 4],
  ["state 'A' is in more than one group: 'O' and 'O'", 12],
  ["group name 'O' is used several times", 9],
  ["transition 'A' -> 'C' has an unknown state 'C'", 15],
  ["duplicate transition 'A' -> 'C' for eligible 'CLIENT'", 17],
  ["more than one immediate action from state 'B'", 19],
  ["impossible transition 'B' -> 'A': 'B' -> 'A' is immediate, so it must be the only one", 20],
  ["immediate transition 'B' -> 'B' leads back to its own state and would be taken without end", 19],
  ["there must be exactly one INITIAL state, but no other state leads to 'A' nor to 'B'", 5],
  ["cycle from 'A' to 'B', from where 'A' is reached again", 18],
  ["something that nobody has thought of", 1],
])) {
  test(`the line of: ${message}`, () => assert.deepEqual(linesOf([message]), [line]));
}

test("a message that comes twice is about one place after the other", () => {
  const message = "transition 'A' -> 'C' has an unknown state 'C'";
  assert.deepEqual(linesOf([message, message, message]), [15, 17, 17]);
});

test("what is not well-formed has a line, too", () => {
  const source = read(TEXT);
  const [said] = saidBy({ message: "the body at /transitions/3/eligible: 'x' is not one of" }, source.value);
  assert.equal(source.lineOf(said?.place ?? []), 19);
  assert.equal(source.lineOf(["states", 1, "name"]), 4);
  assert.equal(source.lineOf(["states", 99, "name"]), 2);
});

test("JSON is read as well, and its lines are known", () => {
  const source = read('{\n "name": "a",\n "states": [\n  {"name": "A"},\n  {"name": 5}\n ]\n}');
  assert.equal(source.value.states[1].name, 5);
  assert.equal(source.lineOf(["states", 1, "name"]), 5);
});

test("a text that is no YAML is told with its line, and is not sent", () => {
  for (const [text, line] of /** @type {const} */ ([["a: 1\nb: [", 2], ["a: 1\na: 2\n", 2], ["- a", 1], ["", 1], ["\n\n\tx: y: z", 3]])) {
    const { value, faults } = read(text);
    assert.equal(value, undefined);
    assert.equal(faults[0]?.line, line, JSON.stringify([text, faults]));
  }
});

test("anchors that would make a document very large are refused", () => {
  const levels = Array.from({ length: 9 }, (_, at) => `l${at + 1}: &l${at + 1} [${Array(10).fill(`*l${at}`).join(",")}]`);
  const { value, faults } = read(["l0: &l0 [x]", ...levels].join("\n"));
  assert.equal(value, undefined);
  assert.match(faults[0]?.message ?? "", /alias/i);
});

test("names that other readers of YAML take for something else stay texts", () => {
  assert.deepEqual(read("states: [NO, on, yes, ON]").value.states, ["NO", "on", "yes", "ON"]);
  assert.deepEqual(read(write({ name: "null", states: [{ name: "1" }] })).value, { name: "null", states: [{ name: "1" }] });
});

test("only what has the shape of a workflow is drawn", () => {
  assert.equal(drawable(undefined), undefined);
  assert.equal(drawable({ states: [] }), undefined);
  assert.equal(drawable({ states: [{ name: 1 }] }), undefined);
  assert.equal(drawable({ states: [{ name: "A" }], transitions: [{ from: "A" }] }), undefined);
  assert.deepEqual(drawable({ states: [{ name: "A", description: 5 }] })?.states, [{ name: "A" }]);
});
