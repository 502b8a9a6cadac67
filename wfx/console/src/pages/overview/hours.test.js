import assert from "node:assert/strict";
import test from "node:test";
import { HOURS, hourOf, hoursBefore } from "./hours.js";

test("the hours are whole ones, and the present one is the last", () => {
  const found = hoursBefore(Date.parse("2026-07-01T08:59:59.999Z"));
  assert.equal(found.length, HOURS);
  assert.equal(new Date(found.at(-1) ?? 0).toISOString(), "2026-07-01T08:00:00.000Z");
  assert.equal(new Date(found[0] ?? 0).toISOString(), "2026-06-30T09:00:00.000Z");
});

test("an hour counts jobs of all workflows by their groups", () => {
  const count = (/** @type {string} */ workflow, /** @type {string} */ group, /** @type {number} */ jobs) => ({ workflow, group, state: "S", jobs });
  const hour = hourOf(0, [count("a", "CLOSED", 3), count("b", "CLOSED", 4), count("a", "FAILED", 1), count("a", "OPEN", 9)], 5);
  assert.deepEqual(hour, { start: 0, created: 5, closed: 7, failed: 1 });
});
