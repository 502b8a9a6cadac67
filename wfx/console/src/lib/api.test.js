import assert from "node:assert/strict";
import test from "node:test";
import { ApiError, list, newKey, queryText, request } from "./api.js";

/** @param {any} answer */
function answering(answer) {
  /** @type {any[]} */
  const asked = [];
  globalThis.fetch = async (url, init) => {
    asked.push({ url, ...init });
    if (answer instanceof Error) throw answer;
    return answer;
  };
  return asked;
}

test("lists in queries have commas, those in items are escaped", () => {
  assert.equal(list(["a,b", "c\\d"]), "a\\,b,c\\\\d");
  assert.equal(queryText({ tag: ["a", "b"], limit: 5, none: "", empty: [], not: undefined }), "?tag=a%2Cb&limit=5");
  assert.equal(queryText({}), "");
});

test("bodies and conditions are sent as JSON", async () => {
  const asked = answering(new Response('{"a":1}', { headers: { etag: '"3"' } }));
  const { headers, ...answer } = await request("/x", { method: "PUT", body: { b: 2 }, ifMatch: '"2"', idempotencyKey: "k", headers: { "X-Of-Page": "1" } });
  assert.equal(headers.get("etag"), '"3"');
  assert.equal(asked[0].headers["x-of-page"], "1");
  assert.deepEqual(answer, { data: { a: 1 }, text: '{"a":1}', etag: '"3"', status: 200 });
  assert.equal(asked[0].headers["content-type"], "application/json");
  assert.equal(asked[0].headers["if-match"], '"2"');
  assert.equal(asked[0].body, '{"b":2}');
});

test("an error says what was wrong and what to do", async () => {
  answering(new Response('{"errors":[{"code":"wfx.x","message":"it changed"}]}', { status: 412 }));
  await assert.rejects(request("/x"), (error) => {
    assert.ok(error instanceof ApiError);
    assert.deepEqual([error.status, error.message, error.code], [412, "it changed", "wfx.x"]);
    assert.match(error.advice, /changed meanwhile/);
    return true;
  });
  answering(new Response("busy\n", { status: 503, headers: { "retry-after": "5" } }));
  await assert.rejects(request("/x"), { message: "busy", advice: "Try again in 5 s." });
  answering(new TypeError("network"));
  await assert.rejects(request("/x"), { status: 0, message: "The service does not answer." });
});

test("keys differ", () => {
  assert.match(newKey(), /^[0-9a-f]{32}$/);
  assert.notEqual(newKey(), newKey());
});
