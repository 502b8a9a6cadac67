import assert from "node:assert/strict";
import test from "node:test";
import { belongs, conditions, filtersOf, isNarrow } from "./filters.js";

const of = (/** @type {string} */ query) => filtersOf(new URLSearchParams(query));

test("filters are read from the address and sent as the service takes them", () => {
  const sent = conditions(of("client=pump-&label=a&label=b&attribute=site:hall1&unseen=P1D&filter=currentJob%20==%20null&version=2"));
  assert.deepEqual(sent, {
    clientIdPrefix: "pump-",
    label: ["a", "b"],
    attribute: ["site:hall1"],
    notSeenFor: "P1D",
    version: "2",
    filter: "currentJob == null",
    sort: "asc",
  });
  assert.ok(isNarrow(of("label=a")));
  assert.ok(!isNarrow(of("client=pump-")));
});

test("a new device is announced where the list would show it", () => {
  assert.ok(belongs(of(""), "b", "c", false));
  assert.ok(!belongs(of(""), "d", "c", false));
  assert.ok(belongs(of(""), "d", "c", true));
  assert.ok(belongs(of("sort=desc"), "d", "c", false));
  assert.ok(!belongs(of("client=pump-"), "press-1", undefined, true));
  assert.ok(!belongs(of("label=a"), "b", "c", true));
});
