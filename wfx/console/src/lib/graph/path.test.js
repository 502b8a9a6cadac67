import assert from "node:assert/strict";
import { test } from "node:test";
import { secondsIn, stepsBetween, visitsOf } from "./path.js";

const workflow = {
  name: "x",
  states: ["A", "B", "C", "D", "E"].map((name) => ({ name })),
  transitions: [
    { from: "A", to: "B", eligible: "WFX", action: "IMMEDIATE" },
    { from: "B", to: "B", eligible: "CLIENT" },
    { from: "B", to: "C", eligible: "CLIENT" },
    { from: "C", to: "D", eligible: "WFX", action: "IMMEDIATE" },
    { from: "D", to: "E", eligible: "CLIENT" },
  ],
};
const at = (/** @type {number} */ second) => `2026-07-01T08:00:0${second}Z`;
const job = {
  mtime: at(9),
  status: { state: "D" },
  history: [
    { mtime: at(5), status: { state: "B" } },
    { mtime: at(2), status: { state: "B" } },
    { mtime: at(1), definition: {} },
  ],
};

test("stays in states follow each other, and reports about the same state are one stay", () => {
  assert.deepEqual(visitsOf(job), [
    { state: "B", since: at(2), until: at(9) },
    { state: "D", since: at(9), until: "" },
  ]);
});

test("times in a state add up, the present one until now", () => {
  const seconds = secondsIn(visitsOf(job), Date.parse(at(9)) + 30_000);
  assert.deepEqual([...seconds], [["B", 7], ["D", 30]]);
});

test("states that the server left at once belong to the path, though no history names them", () => {
  assert.deepEqual(stepsBetween(workflow, ["B", "D"]), [["A", "B"], ["B", "C"], ["C", "D"]]);
});

test("steps that no transition explains are left out", () => {
  assert.deepEqual(stepsBetween(workflow, ["A", "E"]), []);
  assert.deepEqual(stepsBetween(workflow, []), []);
});
