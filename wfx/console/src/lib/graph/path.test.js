import assert from "node:assert/strict";
import { test } from "node:test";
import { stepsBetween } from "./path.js";

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
test("states that the server left at once belong to the path, though no history names them", () => {
  assert.deepEqual(stepsBetween(workflow, ["B", "D"]), [["A", "B"], ["B", "C"], ["C", "D"]]);
});

test("steps that no transition explains are left out", () => {
  assert.deepEqual(stepsBetween(workflow, ["A", "E"]), []);
  assert.deepEqual(stepsBetween(workflow, []), []);
});
