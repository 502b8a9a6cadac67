import assert from "node:assert/strict";
import { test } from "node:test";
import { modelOf } from "./model.js";
import { drawnOf, passed, pictureOf } from "./picture.js";
import { made } from "./sample_graphs.js";

const transition = (/** @type {string} */ from, /** @type {string} */ to, eligible = "CLIENT") => ({ from, to, eligible });

test("a graph begins with a mark, each final state leads to one, and transitions between two states are one edge", () => {
  const { nodes, edges } = modelOf({
    name: "lamp.flow",
    states: [{ name: "DARK" }, { name: "BRIGHT" }],
    transitions: [transition("DARK", "BRIGHT"), transition("DARK", "BRIGHT", "WFX"), transition("DARK", "DARK")],
    groups: [{ name: "CLOSED", states: ["BRIGHT"] }],
  }, 1);
  assert.deepEqual(nodes.map(({ kind, name, group }) => `${kind} ${name} ${group}`), ["start  ", "state DARK ", "state BRIGHT CLOSED", "end  "]);
  assert.deepEqual(edges.map(({ from, to, transitions }) => [from, to, transitions.length]), [[0, 1, 0], [1, 2, 2], [2, 3, 0]]);
  assert.equal(nodes[1]?.loops.length, 1);
});

test("a workflow that makes no sense has a graph, too: states that are not declared, cycles, nothing at all", () => {
  const cyclic = modelOf({ name: "x", states: [{ name: "A" }, { name: "A" }], transitions: [transition("A", "B"), transition("B", "A")] }, 1);
  assert.deepEqual(cyclic.nodes.map(({ name }) => name), ["A", "B"]);
  assert.deepEqual(pictureOf({ name: "", states: [], transitions: [] }, 1).places, []);
});

test("hostile names are shortened, and control characters in them are shown", () => {
  const names = ["x".repeat(1_000_000), "a\u0007\u001b[31m", "\u0301".repeat(100_000), "constructor", "__proto__", "<b>&amp;"];
  const { nodes } = modelOf({ name: "x", states: names.map((name) => ({ name })), transitions: [transition("__proto__", "constructor")] }, 2);
  const states = nodes.filter(({ kind }) => kind === "state");
  assert.deepEqual(states.map(({ name }) => name), names);
  for (const { shown, width } of states) {
    assert.ok(shown.length <= 210 && width < 300, shown.slice(0, 50));
    assert.doesNotMatch(shown, /[\u0000-\u001f]/);
  }
  assert.equal(states[5]?.shown, "<b>&amp;");
});

test("of a large picture only what is seen is drawn", () => {
  const { boxes, edges } = made(2000, 4000, { far: 6 });
  const name = (/** @type {number} */ at) => `S${at}`;
  const picture = pictureOf({
    name: "x", states: boxes.map((_, at) => ({ name: name(at) })),
    transitions: edges.map(({ from, to }) => transition(name(from), name(to))),
  }, 1);
  const drawn = drawnOf(picture, { left: 0, right: picture.width, top: 1000, bottom: 1500 });
  assert.ok(drawn.places.length > 0 && drawn.places.length < 200, `${drawn.places.length}`);
  assert.ok(drawn.strokes.length > 0 && drawn.strokes.length < picture.strokes.length / 5, `${drawn.strokes.length}`);
});

test("a path has the lines from the mark of begin to the present state, and to the mark of end once it is there", () => {
  const workflow = { name: "x", states: ["A", "B", "C"].map((name) => ({ name })), transitions: [transition("A", "B"), transition("B", "C")] };
  const picture = pictureOf(workflow, 1);
  const lines = (/** @type {string[]} */ ...taken) => passed(picture, workflow, taken)?.lines.size;
  assert.deepEqual([lines("A"), lines("A", "B"), lines("A", "B", "C"), lines()], [1, 2, 4, 0]);
  assert.equal(passed(picture, workflow, undefined), null);
});
