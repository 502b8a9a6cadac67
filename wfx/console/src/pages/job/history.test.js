import assert from "node:assert/strict";
import test from "node:test";
import { pretty } from "../../lib/json_text.js";
import { differences, pathOf, rowsOf, sinceOf, timesOf } from "./history.js";

const job = {
  stime: "2026-07-01T08:00:00Z",
  mtime: "2026-07-01T08:10:00Z",
  status: { state: "DIM", clientId: "press-7", progress: 80 },
  history: [
    { mtime: "2026-07-01T08:04:00Z", status: { state: "DIM", clientId: "press-7", progress: 40 } },
    { mtime: "2026-07-01T08:00:00Z", status: { state: "DARK" }, definition: { n: 1 } },
  ],
};

test("each row says who changed what, newest first", () => {
  const rows = rowsOf(job);
  assert.deepEqual(rows.map((row) => [row.from, row.to, row.who, row.definition]), [
    ["DIM", "DIM", "press-7", false],
    ["DARK", "DIM", "press-7", true],
    ["", "DARK", "", false],
  ]);
  assert.deepEqual(rows[0]?.changes, [{ kind: "~", path: "progress", from: 40, to: 80 }]);
});

test("path, times and the beginning of the present state", () => {
  const rows = rowsOf(job);
  assert.deepEqual(pathOf(rows), ["DARK", "DIM"]);
  assert.deepEqual([...timesOf(rows, Date.parse("2026-07-01T08:11:00Z"))], [["DIM", 420], ["DARK", 240]]);
  assert.equal(sinceOf(rows), "2026-07-01T08:04:00Z");
});

test("differences go into objects, not into lists", () => {
  const before = { state: "A", context: { a: 1, b: { c: [1, 2] }, gone: true } };
  const after = { state: "B", context: { a: 1, b: { c: [1, 3] }, fresh: null } };
  assert.deepEqual(differences(before, after), [
    { kind: "~", path: "context.b.c", from: [1, 2], to: [1, 3] },
    { kind: "-", path: "context.gone", from: true },
    { kind: "+", path: "context.fresh", to: null },
  ]);
  assert.deepEqual(differences({ state: "A" }, { state: "A" }), []);
});

test("JSON is set out as it was sent, whatever its numbers", () => {
  assert.equal(pretty('{"a":12345678901234567890,"b":[],"c":["x, {y}",1.0]}'),
    '{\n  "a": 12345678901234567890,\n  "b": [],\n  "c": [\n    "x, {y}",\n    1.0\n  ]\n}');
});
