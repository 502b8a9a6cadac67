import assert from "node:assert/strict";
import test from "node:test";
import { bodyOf } from "./dry_run.js";

test("the payload is sent as it was written, and nothing that is no JSON", () => {
  assert.equal(bodyOf('{"n": 12345678901234567890}'), '{"payload":{"n": 12345678901234567890}}');
  assert.throws(() => bodyOf('1,"next":"X"'), /no JSON/);
});
