import assert from "node:assert/strict";
import test from "node:test";
import { told } from "./loaded.js";

test("a remark is told with its place, whatever form it has", () => {
  assert.equal(told("plain"), "plain");
  assert.equal(told({ message: "wrong", line: 3, column: 7 }), "line 3:7: wrong");
  assert.equal(told({ message: "wrong" }), "wrong");
  assert.equal(told({ other: 1 }), '{"other":1}');
});
