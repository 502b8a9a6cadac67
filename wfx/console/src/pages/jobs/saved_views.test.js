import assert from "node:assert/strict";
import test from "node:test";
import { deleteView, renameView, savedViews, saveView } from "./saved_views.js";

/** @param {string | null} text */
function store(text = null) {
  return { getItem: () => text, setItem: (/** @type {string} */ _name, /** @type {string} */ given) => void (text = given) };
}

test("views are saved, renamed and deleted by their names", () => {
  const kept = store();
  saveView({ name: "r7", query: "tag=r7" }, kept);
  saveView({ name: "failed", query: "group=FAILED" }, kept);
  saveView({ name: "r7", query: "tag=r7&sort=asc" }, kept);
  assert.deepEqual(savedViews(kept), [{ name: "failed", query: "group=FAILED" }, { name: "r7", query: "tag=r7&sort=asc" }]);
  renameView("r7", "a", kept);
  renameView("a", "a", kept);
  assert.deepEqual(savedViews(kept).map(({ name }) => name), ["a", "failed"]);
  renameView("a", "failed", kept);
  assert.deepEqual(savedViews(kept), [{ name: "failed", query: "tag=r7&sort=asc" }]);
  assert.deepEqual(deleteView("failed", kept), []);
});

test("what somebody else has kept under the name is no view", () => {
  for (const text of ["{", "{}", "null", '[1, null, {"name": 1}]']) assert.deepEqual(savedViews(store(text)), []);
});
