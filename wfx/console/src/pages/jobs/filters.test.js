import assert from "node:assert/strict";
import test from "node:test";
import { any, conditions, filtersOf, fits } from "./filters.js";

const job = { workflow: "lamp", clientId: "press-7", state: "DARK", group: "OPEN", tags: ["a", "b"] };

test("filters are read from the address and sent as the service takes them", () => {
  const filters = filtersOf(new URLSearchParams("workflow=lamp&tag=a&tag=x,y&group=OPEN&client=press-&sort=asc"));
  assert.deepEqual(filters.tag, ["a", "x,y"]);
  assert.equal(filters.sort, "asc");
  const sent = conditions(filters);
  assert.equal(sent.clientIdPrefix, "press-");
  assert.deepEqual(sent.group, ["OPEN"]);
  assert.ok(any(filters));
  assert.ok(!any(filtersOf(new URLSearchParams("sort=asc&page=2"))));
});

test("a job fits if all that is asked for is known of it", () => {
  const fit = (/** @type {string} */ query, more = {}) => fits(filtersOf(new URLSearchParams(query)), { ...job, ...more });
  assert.ok(fit(""));
  assert.ok(fit("tag=b&tag=c&client=press&group=OPEN&group=FAILED"));
  assert.ok(!fit("tag=c"));
  assert.ok(!fit("client=pump"));
  assert.ok(!fit("tag=a", { tags: undefined }));
  assert.ok(fit("group=(none)", { group: "" }));
  assert.ok(!fit("unchanged=P1D"));
});
