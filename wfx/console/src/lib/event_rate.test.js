import assert from "node:assert/strict";
import test from "node:test";
import { EventRate } from "./event_rate.js";

test("events count in the second in which they came, and seconds without any are zero", () => {
  const rate = new EventRate(4);
  rate.add(10_000, 3);
  rate.add(10_900, 1);
  rate.add(12_000, 2);
  assert.deepEqual(rate.until(12_500), [0, 4, 0, 2]);
  assert.deepEqual(rate.until(15_000), [2, 0, 0, 0]);
  assert.deepEqual(rate.until(100_000), [0, 0, 0, 0]);
});
