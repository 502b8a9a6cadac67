import assert from "node:assert/strict";
import test from "node:test";
import { whoOf } from "./actor.js";

/** @param {string} action @param {unknown} [cause] @returns {import("./live_stream.js").LiveEvent} */
const event = (action, cause) => ({
  id: "log-1",
  action,
  ctime: "2026-07-01T08:00:00Z",
  ...(cause !== undefined && { cause }),
  job: { id: "1", clientId: "press-7", workflow: "lamp", reporter: "press-7" },
});

test("a rule that was the cause is named, and whoever reported a state", () => {
  assert.equal(whoOf(event("UPDATE_STATUS", { rule: "retry", event: "log-0" })), "rule retry");
  assert.equal(whoOf(event("UPDATE_STATUS", { other: 1 })), '{"other":1}');
  assert.equal(whoOf(event("UPDATE_STATUS")), "press-7");
});

test("the last reporter of a state is not taken for who created or tagged a job", () => {
  assert.equal(whoOf(event("CREATE")), "");
  assert.equal(whoOf(event("ADD_TAGS")), "");
});
