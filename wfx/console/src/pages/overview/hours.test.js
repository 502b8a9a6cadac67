import assert from "node:assert/strict";
import test from "node:test";
import { affordable, HOUR, Hours, HOURS, hourOf, hoursBefore, openAt } from "./hours.js";

test("the hours are whole ones, and the present one is the last", () => {
  const found = hoursBefore(Date.parse("2026-07-01T08:59:59.999Z"));
  assert.equal(found.length, HOURS);
  assert.equal(new Date(found.at(-1) ?? 0).toISOString(), "2026-07-01T08:00:00.000Z");
  assert.equal(new Date(found[0] ?? 0).toISOString(), "2026-06-30T09:00:00.000Z");
});

test("an hour counts jobs of all workflows by their groups", () => {
  const count = (/** @type {string} */ workflow, /** @type {string} */ group, /** @type {number} */ jobs) => ({ workflow, group, state: "S", jobs });
  const hour = hourOf(0, [count("a", "CLOSED", 3), count("b", "CLOSED", 4), count("a", "FAILED", 1), count("a", "OPEN", 9)], 5);
  assert.deepEqual(hour, { start: 0, created: 5, closed: 7, failed: 1, ended: 8 });
});

test("how many were open is told by those that are, and by what came and ended since", () => {
  const hour = (/** @type {number} */ created, /** @type {number} */ ended) => ({ ...hourOf(0, [], created), ended });
  assert.deepEqual(openAt([hour(5, 0), hour(0, 2), hour(4, 1)], 7), [6, 4, 7]);
  assert.deepEqual(openAt([hour(0, 0), hour(9, 0)], 7), [0, 7]);
});

test("the more jobs there are, the fewer hours are counted unasked", () => {
  assert.deepEqual([0, 1, 100_000, 1_000_000, 10_000_000].map(affordable), [24, 24, 24, 2, 0]);
});

test("hours that are over are read once, the present one each time, and one that has just ended once more", async () => {
  const asked = /** @type {number[]} */ ([]);
  const hours = new Hours(async (start) => {
    asked.push(start / HOUR);
    return hourOf(start, [], 1);
  });
  const { signal } = new AbortController();
  /** @param {number} now hours @param {number} most */
  const read = async (now, most) => {
    let shown = 0;
    asked.length = 0;
    await hours.read(now * HOUR, most, signal, (found) => (shown = found.length));
    return { asked: [...asked], shown };
  };
  assert.deepEqual(await read(100.5, 3), { asked: [100, 99, 98], shown: 3 });
  assert.deepEqual(await read(100.6, 3), { asked: [100], shown: 3 });
  assert.deepEqual(await read(101.001, 3), { asked: [101, 100], shown: 3 });
  assert.deepEqual(await read(101.5, 4), { asked: [101, 100], shown: 4 });
  assert.deepEqual(await read(150, 1), { asked: [150], shown: 1 });
  assert.equal(hours.over.size, 0);
});
