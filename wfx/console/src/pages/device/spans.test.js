import assert from "node:assert/strict";
import test from "node:test";
import { spansOf } from "./spans.js";

/** @param {string} id @param {number} start minutes @param {number} end @param {string} [group] @returns {import("./state.js").Job} */
const job = (id, start, end, group = "CLOSED") => ({
  id,
  workflow: "w",
  group,
  state: "S",
  stime: new Date(start * 60_000).toISOString(),
  mtime: new Date(end * 60_000).toISOString(),
  tags: [],
});
const drawn = (/** @type {ReturnType<typeof spansOf>} */ spans) => spans.map(({ job: { id }, left, width, row }) => [id, left, width, row]);

test("jobs are bars over time, those at the same time below each other, and open ones go on", () => {
  const jobs = [job("c", 80, 85, "OPEN"), job("b", 20, 60, "FAILED"), job("a", 0, 50)];
  assert.deepEqual(drawn(spansOf(jobs, 100 * 60_000)), [["a", 0, 50, 0], ["b", 20, 40, 1], ["c", 80, 20, 0]]);
});

test("no jobs are no bars, and very many at once share a row", () => {
  assert.deepEqual(spansOf([], 0), []);
  const rows = spansOf(Array.from({ length: 9 }, (_, index) => job(String(index), index, 99)), 100 * 60_000).map(({ row }) => row);
  assert.deepEqual(rows, [0, 1, 2, 3, 4, 5, 5, 5, 5]);
});
