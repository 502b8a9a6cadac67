import assert from "node:assert/strict";
import test from "node:test";
import { beginning, duration, exact, linkable, relative, visible } from "./format.js";

const now = Date.parse("2026-07-02T12:00:00Z");

test("times are relative within a day, and dates before", () => {
  assert.equal(relative("2026-07-02T11:59:48Z", now), "12 s");
  assert.equal(relative("2026-07-02T11:57:00Z", now), "3 min");
  assert.equal(relative("2026-07-02T02:00:00Z", now), "10 h");
  assert.match(relative("2026-06-01T02:00:00Z", now), /^2026-0[56]-\d\d$/);
  assert.equal(relative("2026-07-02T12:00:10Z", now), "now");
  assert.equal(relative(undefined, now), "never");
  assert.equal(relative("yesterday", now), "yesterday");
});

test("durations have one unit", () => {
  assert.deepEqual([0, 59, 60, 3600, 90000].map(duration), ["0 s", "59 s", "1 min", "1 h", "1 d"]);
});

test("the exact time has milliseconds and a zone", () => {
  assert.match(exact("2026-07-02T12:00:00.5Z"), /^2026-07-0\d \d\d:\d\d:\d\d\.500 GMT/);
  assert.equal(exact("nonsense"), "nonsense");
});

test("long texts are cut between characters", () => {
  assert.deepEqual(beginning("abc", 3), { text: "abc", cut: false });
  assert.deepEqual(beginning("ab\u{1f600}", 3), { text: "ab", cut: true });
  assert.equal(beginning("x".repeat(1_000_000)).text.length, 200);
});

test("control characters are seen, line breaks stay", () => {
  assert.equal(visible("a\u0000\u001b[31m\n\tb\u007f"), "a\u2400\u241b[31m\n\tb\u2421");
});

test("only addresses of http become links", () => {
  assert.equal(linkable("https://a.example/x"), "https://a.example/x");
  for (const text of ["javascript:alert(1)", "data:text/html,x", "ftp://a", "https://a b", "//a.example"]) {
    assert.equal(linkable(text), "", text);
  }
});
