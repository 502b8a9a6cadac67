import assert from "node:assert/strict";
import test from "node:test";
import { cell, lines, MOST, write } from "./csv.js";
import { filtersOf } from "./filters.js";

const filters = filtersOf(new URLSearchParams("tag=r7&sort=asc"));

test("a cell that a spreadsheet would run is text", () => {
  for (const text of ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", " =1", "\t=1", "\r=1", "＝1"]) assert.equal(cell(text), `"'${text}"`);
  assert.equal(cell('say "hi", a=b'), '"say ""hi"", a=b"');
  assert.equal(cell(40), "40");
  assert.equal(cell(undefined), '""');
});

test("a job is a line", () => {
  const row = { id: "1", clientId: "=cmd", workflow: "w", group: "OPEN", state: "DIM", progress: 40, tags: ["a", "b"], stime: "s", mtime: "m" };
  assert.equal(lines([row]), '"1","\'=cmd","w","OPEN","DIM",40,"","a, b","s","m"\r\n');
});

test("pages are read to the last one, with the filter and the order of the list", async () => {
  /** @type {any[]} */
  const asked = [];
  const read = async (/** @type {string} */ _path, /** @type {any} */ query) => {
    asked.push(query);
    return asked.length === 1 ? { content: [{}, {}], next: "n" } : { content: [{}] };
  };
  /** @type {number[]} */
  const told = [];
  const { jobs, complete } = await write(filters, new AbortController().signal, (count) => told.push(count), read);
  assert.deepEqual([jobs, complete, told], [3, true, [2, 3]]);
  assert.deepEqual(asked.map(({ tag, sort, after }) => [tag, sort, after]), [[["r7"], "asc", ""], [["r7"], "asc", "n"]]);
});

test("a file ends at so many jobs, and says so", async () => {
  const content = Array(1000).fill({});
  const { jobs, complete } = await write(filters, new AbortController().signal, () => {}, async () => ({ content, next: "n" }));
  assert.deepEqual([jobs, complete], [MOST, false]);
});
