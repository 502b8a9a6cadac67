import assert from "node:assert/strict";
import test from "node:test";
import { undoOf } from "./undo.js";

test("a tag that a job had before stays when the change is taken back", () => {
  const work = /** @type {const} */ ({ kind: "tag", add: ["new"], remove: ["old"] });
  const before = [
    { id: "1", tags: [] },
    { id: "2", tags: ["new", "old"] },
    { id: "3", tags: ["new"] },
    { id: "4", tags: ["x"] },
    { id: "5", tags: [] },
  ];
  const items = [{ id: "1" }, { id: "2" }, { id: "3" }, { id: "4" }, { id: "5", error: { message: "gone" } }];
  assert.deepEqual(undoOf(/** @type {any} */ (work), before, items), [
    { work: { kind: "tag", add: [], remove: ["new"] }, ids: ["1", "4"] },
    { work: { kind: "tag", add: ["old"], remove: [] }, ids: ["2"] },
  ]);
  assert.deepEqual(undoOf({ kind: "delete" }, before, items), []);
});
