import assert from "node:assert/strict";
import test from "node:test";
import { find } from "./keyboard.js";
import { match } from "./router.js";
import { window } from "./table.js";
import { changed } from "./url_state.js";

test("paths are matched segment by segment", () => {
  assert.deepEqual(match("jobs", "jobs"), {});
  assert.deepEqual(match("jobs/:id", "jobs/a%2Fb"), { id: "a/b" });
  assert.equal(match("jobs/:id", "jobs"), undefined);
  assert.equal(match("jobs/:id", "jobs/"), undefined);
  assert.equal(match("jobs", "workflows"), undefined);
  assert.deepEqual(match("jobs/:id", "jobs/%zz"), { id: "%zz" });
});

test("changes of the state leave the rest of the address", () => {
  const query = new URLSearchParams("a=1&b=2&b=3");
  assert.equal(changed(query, { b: ["4"], c: "5" }).toString(), "a=1&b=4&c=5");
  assert.equal(changed(query, { a: "", b: [] }).toString(), "");
});

test("keys are found alone and in sequences", () => {
  const run = () => {};
  const keys = [{ keys: "g j", does: "", run }, { keys: "j", does: "", run }];
  assert.deepEqual(find(keys, "g"), { goesOn: true });
  assert.deepEqual(find(keys, "g j"), { run, goesOn: false });
  assert.deepEqual(find(keys, "j"), { run, goesOn: false });
});

test("of many rows only those that are seen are drawn", () => {
  assert.deepEqual(window(0, 360, 100_000), { first: 0, last: 22 });
  const { first, last } = window(1_800_000, 720, 100_000);
  assert.ok(last - first < 60 && first > 49_000);
  assert.deepEqual(window(900_000, 360, 10), { first: 10, last: 10 });
});
