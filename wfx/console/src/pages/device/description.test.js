import assert from "node:assert/strict";
import test from "node:test";
import { descriptionOf, linesOf } from "./description.js";

test("what is shown is read back as it was", () => {
  const attributes = { site: "hall1", note: "a=b" };
  assert.deepEqual(descriptionOf(linesOf(attributes), "canary, old,canary"), { attributes, labels: ["canary", "old"] });
  assert.deepEqual(descriptionOf("\n", " "), { attributes: {}, labels: [] });
});

test("a line that is no name=value is told", () => {
  assert.deepEqual(descriptionOf("site=hall1\nhall2", ""), { line: 2 });
  assert.deepEqual(descriptionOf("=x", ""), { line: 1 });
});
