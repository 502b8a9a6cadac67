import assert from "node:assert/strict";
import test from "node:test";
import { retryAll } from "./retry.js";

test("jobs are created slice by slice, as they were written, and one that is gone is named", async () => {
  const ids = Array.from({ length: 25 }, (_, index) => `job-${index}`);
  const copy = async (/** @type {string} */ id) => (id === "job-3" ? { id, error: { message: "gone" } } : { id, text: '{"definition":{"big":12345678901234567890}}' });
  /** @type {string[]} */
  const texts = [];
  const send = async (/** @type {string} */ _path, /** @type {any} */ { text }) => {
    texts.push(text);
    const count = text.split("definition").length - 1;
    return { data: { done: count - 1, failed: 1, items: Array.from({ length: count }, (_, at) => (at ? { id: "new" } : { error: { message: "no workflow" } })) } };
  };
  const told = [];
  const result = await retryAll(ids, ({ done }) => told.push(done), () => false, copy, send);
  assert.deepEqual([result.done, result.failed, result.items.length, told.length], [22, 3, 25, 2]);
  assert.ok(texts[0]?.includes("12345678901234567890"));
  const failed = result.items.filter(({ error }) => error).map(({ retryOf, error }) => [retryOf, error?.message]);
  assert.deepEqual(failed, [["job-3", "gone"], ["job-0", "no workflow"], ["job-20", "no workflow"]]);
});

test("it can be stopped between slices", async () => {
  let asked = 0;
  const send = async () => ({ data: { done: 20, failed: 0, items: [] } });
  const copy = async (/** @type {string} */ id) => ({ id, text: "{}" });
  const result = await retryAll(Array(60).fill("a"), () => (asked += 1), () => asked === 1, copy, send);
  assert.deepEqual([result.done, result.stopped], [20, true]);
});
