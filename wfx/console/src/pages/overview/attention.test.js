import assert from "node:assert/strict";
import test from "node:test";
import { decisions } from "./attention.js";

test("operators decide where they alone lead on, and nothing does so by itself", () => {
  const found = decisions({
    name: "w",
    states: [],
    transitions: [
      { from: "CREATED", to: "ASK", eligible: "WFX", action: "IMMEDIATE" },
      { from: "ASK", to: "GO", eligible: "WFX" },
      { from: "ASK", to: "NO", eligible: "WFX" },
      { from: "GO", to: "DONE", eligible: "CLIENT" },
      { from: "GO", to: "ABORTED", eligible: "WFX" },
      { from: "ASK", to: "ASK", eligible: "WFX" },
    ],
  });
  assert.deepEqual([...found], [["ASK", ["GO", "NO"]]]);
});
